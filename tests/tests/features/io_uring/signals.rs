//! Masks and signals that are not a request.

use super::{ENTER, Read, completions, push, ring, stopped_while_it_waits};
use core::ffi::c_void;
use core::ptr::null;
use core::sync::atomic::{AtomicU32, Ordering};
use io_uring::types::SubmitArgs;
use io_uring::{EnterFlags, IoUring};
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use stop_tests::signals::send;
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::ext::SubmitWithArgsOrStop;
use stopruntime::{sys, thread};

/// `struct io_uring_getevents_arg` (`linux/io_uring.h`).
#[repr(C)]
struct GetEvents {
    mask: u64,
    mask_size: u32,
    min_wait: u32,
    timeout: u64,
}

const WAIT: u32 = EnterFlags::GETEVENTS.bits();
const WAIT_WITH: u32 = EnterFlags::GETEVENTS.bits() | EnterFlags::EXT_ARG.bits();

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

fn full() -> libc::sigset_t {
    // SAFETY: a local set, filled in.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        set
    }
}

/// What is blocked in the calling thread, as bits of the kernel's.
fn blocked() -> u64 {
    // SAFETY: a query into a local set, whose first word is signals 1 to 64.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, null(), &raw mut set);
        (&raw const set).cast::<u64>().read()
    }
}

fn enter2(ring: &IoUring, flags: u32, argument: *const c_void, size: usize) -> bool {
    let fd = ring.as_raw_fd().cast_unsigned();
    // SAFETY: the arguments of these tests, which outlive the call.
    unsafe { sys::io_uring_enter2_or_stop(fd, 0, 1, flags, argument, size) }.is_err()
}

on_rings! {
    fn a_full_mask_does_not_keep_the_request_out() {
        type Wait = fn(&IoUring) -> bool;
        let waits: [Wait; 5] = [
            |ring| {
                let full = full();
                let args = SubmitArgs::new().sigmask(&full);
                ring.submitter().submit_with_args_or_stop(1, &args).is_err()
            },
            |ring| {
                let fd = ring.as_raw_fd().cast_unsigned();
                // SAFETY: no memory but the ring's, and the mask.
                unsafe { sys::io_uring_enter_or_stop(fd, 0, 1, WAIT, core::ptr::from_ref(&full())) }.is_err()
            },
            |ring| enter2(ring, WAIT, (core::ptr::from_ref(&full())).cast(), 8),
            |ring| {
                let full = full();
                let mask = &raw const full as u64;
                let given = GetEvents { mask, mask_size: 8, min_wait: 0, timeout: 0 };
                enter2(ring, WAIT_WITH, (&raw const given).cast(), size_of::<GetEvents>())
            },
            |ring| {
                let none = GetEvents { mask: 0, mask_size: 0, min_wait: 0, timeout: 0 };
                enter2(ring, WAIT_WITH, (&raw const none).cast(), size_of::<GetEvents>())
            },
        ];
        for (at, wait) in waits.into_iter().enumerate() {
            let (stopped, before, after) = stopped_while_it_waits(move || {
                // Known to the runtime, whose signal is as it will stay.
                stopruntime::check().unwrap();
                let before = blocked();
                (wait(&ring()), before, blocked())
            });
            assert!(stopped, "{at}");
            assert_eq!(before, after, "{at}: the thread's own mask is as before");
        }
    }

    fn a_signal_that_is_no_request_ends_it_as_it_ends_the_plain_call() {
        // SAFETY: the handler counts.
        unsafe {
            let handler = on_signal as extern "C" fn(libc::c_int);
            libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
        }
        let wait_and_tell = |ring: IoUring, blocks: bool| {
            let (sender, receiver) = mpsc::channel();
            let waiter = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                let full = full();
                let args = SubmitArgs::new();
                let args = if blocks { args.sigmask(&full) } else { args };
                let result = ring.submitter().submit_with_args_or_stop(1, &args);
                (result.map(|result| result.map_err(|error| error.raw_os_error())), ring)
            });
            let thread = receiver.recv().unwrap();
            wait_until_blocked_in(thread, &ENTER);
            send(thread, libc::SIGUSR1);
            (waiter, thread)
        };
        let (waiter, _) = wait_and_tell(ring(), false);
        assert_eq!(waiter.join().unwrap().0, Ok(Err(Some(libc::EINTR))));
        assert_eq!(HANDLED.load(Ordering::SeqCst), 1);

        // The caller's mask keeps it out until the call has returned.
        let (mut ring, read) = (ring(), Read::new());
        push(&mut ring, &read.entry(1));
        ring.submit().unwrap();
        let (waiter, thread) = wait_and_tell(ring, true);
        wait_until_blocked_in(thread, &ENTER);
        assert_eq!(HANDLED.load(Ordering::SeqCst), 1);
        read.feed();
        let (result, mut ring) = waiter.join().unwrap();
        assert_eq!(result, Ok(Ok(0)));
        assert_eq!(completions(&mut ring), [(1, 1)]);
        assert_eq!(HANDLED.load(Ordering::SeqCst), 2);
    }
}
