//! Stopped before, while and after they wait; what was submitted and what has
//! completed stays.

use super::{ENTER, Read, completions, nop, push, ring, stopped_while_it_waits};
use core::ptr::null;
use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, squeue};
use std::io;
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use stop_tests::started::requested;
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::ext::{SubmitAndWaitOrStop, SubmitWithArgsOrStop};
use stopruntime::{Backend, check, shield, stoppable, sys, thread};

const LONG: Timespec = Timespec::new().sec(100_000);
const SHORT: Timespec = Timespec::new().nsec(1_000_000);

#[stoppable]
fn numbers_until_stopped(mut ring: IoUring) -> io::Result<(Vec<u64>, IoUring)> {
    let mut numbers = Vec::new();
    loop {
        #[blocking]
        ring.submit_and_wait(1)?;
        numbers.extend(completions(&mut ring).into_iter().map(|(number, _)| number));
    }
    Ok((numbers, ring))
}

#[stoppable]
fn wait_with_args(ring: &IoUring) -> io::Result<bool> {
    let args = SubmitArgs::new().timespec(&LONG);
    loop {
        #[blocking]
        ring.submitter().submit_with_args(1, &args)?;
        return Ok(false);
    }
    Ok(true)
}

/// An entry that the kernel knows no operation of.
fn unknown(number: u64) -> squeue::Entry {
    let mut entry = nop(number);
    // SAFETY: the operation is the first byte of an entry (`linux/io_uring.h`),
    // and any byte is one.
    unsafe { (&raw mut entry).cast::<u8>().write(255) };
    entry
}

on_rings! {
    fn a_request_before_submits_nothing() {
        let mut ring = ring();
        push(&mut ring, &nop(1));
        let mut ring = requested(move || {
            assert!(ring.submit_and_wait_or_stop(1).is_err());
            assert!(ring.submit_and_wait_or_stop(0).is_err());
            assert!(ring.submitter().submit_with_args_or_stop(1, &SubmitArgs::new()).is_err());
            ring
        });
        assert_eq!(ring.submission().len(), 1, "what is queued stays");
        assert_eq!(completions(&mut ring), []);
        assert_eq!(ring.submit_and_wait(1).unwrap(), 1);
        assert_eq!(completions(&mut ring), [(1, 0)]);
    }

    fn a_wait_with_nothing_to_submit_is_stopped_and_what_is_under_way_goes_on() {
        type Wait = fn(&IoUring) -> bool;
        let waits: [Wait; 4] = [
            |ring| ring.submit_and_wait_or_stop(1).is_err(),
            |ring| ring.submitter().submit_and_wait_or_stop(1).is_err(),
            |ring| {
                let args = SubmitArgs::new().timespec(&LONG);
                ring.submitter().submit_with_args_or_stop(1, &args).is_err()
            },
            |ring| {
                let flags = EnterFlags::GETEVENTS.bits();
                let fd = ring.as_raw_fd().cast_unsigned();
                // SAFETY: no memory but the ring's.
                unsafe { sys::io_uring_enter_or_stop(fd, 0, 1, flags, null()) }.is_err()
            },
        ];
        for (at, wait) in waits.into_iter().enumerate() {
            let (mut ring, read) = (ring(), Read::new());
            push(&mut ring, &read.entry(7));
            assert_eq!(ring.submit().unwrap(), 1);
            let (stopped, mut ring) = stopped_while_it_waits(move || (wait(&ring), ring));
            assert!(stopped, "{at}");
            assert_eq!(completions(&mut ring), []);
            read.feed();
            assert_eq!(ring.submit_and_wait(1).unwrap(), 0);
            assert_eq!(completions(&mut ring), [(7, 1)]);
        }
    }

    fn a_wait_that_has_submitted_returns_the_number_and_the_next_call_is_stopped() {
        let (mut ring, read) = (ring(), Read::new());
        push(&mut ring, &read.entry(1));
        push(&mut ring, &nop(2));
        // All of it in one thread: at its end the kernel cancels what it has
        // submitted.
        let (calls, at_the_stop, rest) = stopped_while_it_waits(move || {
            let first = ring.submit_and_wait_or_stop(2).unwrap().unwrap();
            let second = check().is_err();
            push(&mut ring, &nop(3));
            let third = ring.submit_and_wait_or_stop(1).is_err();
            let at_the_stop = completions(&mut ring);
            read.feed();
            assert_eq!(ring.submit_and_wait(2).unwrap(), 1);
            let mut rest = completions(&mut ring);
            rest.sort_unstable();
            ((first, second, third), at_the_stop, rest)
        });
        assert_eq!(calls, (2, true, true));
        assert_eq!(at_the_stop, [(2, 0)], "fewer than were wanted");
        assert_eq!(rest, [(1, 1), (3, 0)]);
    }

    /// As the plain call, which is not interrupted then.
    fn a_wait_that_has_some_of_the_completions_returns_and_keeps_them() {
        let (mut ring, read) = (ring(), Read::new());
        push(&mut ring, &read.entry(1));
        push(&mut ring, &nop(2));
        assert_eq!(ring.submit_and_wait(1).unwrap(), 2);
        let (first, second, mut ring) = stopped_while_it_waits(move || {
            let first = ring.submit_and_wait_or_stop(2).unwrap().unwrap();
            (first, ring.submit_and_wait_or_stop(2).is_err(), ring)
        });
        assert_eq!((first, second), (0, true));
        assert_eq!(completions(&mut ring), [(2, 0)]);
    }

    fn without_a_request_results_are_the_crates_own() {
        let mut ring = ring();
        for want in [0, 1, 2, 3] {
            for number in 0..3 {
                push(&mut ring, &nop(number));
            }
            assert_eq!(ring.submit_and_wait_or_stop(want).unwrap().unwrap(), 3);
            assert_eq!(completions(&mut ring), [(0, 0), (1, 0), (2, 0)]);
        }
        assert_eq!(ring.submit_and_wait_or_stop(0).unwrap().unwrap(), 0);
        let in_time = SubmitArgs::new().timespec(&SHORT);
        let late = ring.submitter().submit_with_args_or_stop(1, &in_time).unwrap().unwrap_err();
        assert_eq!(late.raw_os_error(), Some(libc::ETIME));

        // The kernel takes no more after an entry that it does not understand,
        // and does not wait then.
        let mut counts = [0; 2];
        for (count, ours) in counts.iter_mut().zip([false, true]) {
            push(&mut ring, &unknown(1));
            push(&mut ring, &nop(2));
            *count = if ours {
                ring.submit_and_wait_or_stop(2).unwrap().unwrap()
            } else {
                ring.submit_and_wait(2).unwrap()
            };
            ring.submit_and_wait(2 - *count).unwrap();
            assert_eq!(completions(&mut ring), [(1, -libc::EINVAL), (2, 0)]);
        }
        assert_eq!(counts, [1, 1]);

        let disabled = IoUring::<squeue::Entry>::builder().setup_r_disabled().build(2).unwrap();
        let plain = disabled.submit_and_wait(1).unwrap_err();
        let ours = disabled.submit_and_wait_or_stop(1).unwrap().unwrap_err();
        assert_eq!(plain.raw_os_error(), ours.raw_os_error());
    }

    fn under_a_shield_the_wait_goes_on() {
        let (mut ring, read) = (ring(), Read::new());
        push(&mut ring, &read.entry(1));
        let (sender, receiver) = mpsc::channel();
        let shielded = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let inside = shield(|| ring.submit_and_wait_or_stop(1).unwrap().unwrap());
            let completed = completions(&mut ring);
            (inside, completed, ring.submit_and_wait_or_stop(1).is_err())
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &ENTER);
        shielded.request_stop();
        wait_until_blocked_in(thread, &ENTER);
        read.feed();
        assert_eq!(shielded.join().unwrap(), (1, vec![(1, 1)], true));
    }

    fn marked_calls_are_stopped() {
        let (mut ring, read) = (ring(), Read::new());
        push(&mut ring, &read.entry(5));
        push(&mut ring, &nop(6));
        assert_eq!(ring.submit().unwrap(), 2);
        let (numbers, mut ring) =
            stopped_while_it_waits(move || numbers_until_stopped(ring)).unwrap();
        assert_eq!(numbers, [6]);
        read.feed();
        ring.submit_and_wait(1).unwrap();
        assert_eq!(completions(&mut ring), [(5, 1)]);
        assert!(stopped_while_it_waits(move || wait_with_args(&ring)).unwrap());
    }

    /// What has no mask to open the signal in.
    fn a_wait_for_room_is_refused_on_ppoll() {
        let ring = ring();
        let flags = EnterFlags::SQ_WAIT.bits();
        let fd = ring.as_raw_fd().cast_unsigned();
        // SAFETY: no memory but the ring's.
        let result = unsafe { sys::io_uring_enter_or_stop(fd, 0, 0, flags, null()) }.unwrap();
        let errno = io::Error::last_os_error().raw_os_error();
        if stopruntime::backend() == Backend::Ppoll {
            assert_eq!((result, errno), (-1, Some(libc::ENOTSUP)));
        } else {
            assert_eq!(result, 0, "a ring without a thread of its own has room");
        }
    }
}
