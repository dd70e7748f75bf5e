//! Random stops: completions out = entries in, each once.
//! `STOP_TESTS_SECONDS` says how long each run takes (1 by default).

use super::{assert_each_once, nop, push, ring};
use core::sync::atomic::AtomicU64;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, opcode, squeue};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use stop_tests::churn::churn;
use stopruntime::Stopped;
use stopruntime::ext::{SubmitAndWaitOrStop, SubmitWithArgsOrStop};
use stopruntime::sys;

const LONG: Timespec = Timespec::new().sec(100_000);
static SOON: Timespec = Timespec::new().nsec(20_000);
const WAIT: u32 = EnterFlags::GETEVENTS.bits();

/// A no-op, a time-out or a read, which complete now, in a moment, and as the
/// kernel likes.
fn entry(number: u64, zeros: &File) -> squeue::Entry {
    static BYTE: AtomicU64 = AtomicU64::new(0);
    match number % 3 {
        0 => nop(number),
        1 => opcode::Timeout::new(&raw const SOON).build().user_data(number),
        _ => {
            let read = opcode::Read::new(Fd(zeros.as_raw_fd()), BYTE.as_ptr().cast(), 8);
            read.build().user_data(number)
        }
    }
}

/// One of the ways to submit and to wait.
fn submit_and_wait(
    ring: &mut IoUring,
    way: u64,
    want: usize,
) -> Result<io::Result<usize>, Stopped> {
    match way {
        0 => ring.submit_and_wait_or_stop(want),
        1 => {
            let args = SubmitArgs::new().timespec(&LONG);
            ring.submitter().submit_with_args_or_stop(want, &args)
        }
        _ => {
            let count = u32::try_from(ring.submission().len()).unwrap();
            let (fd, want) = (ring.as_raw_fd().cast_unsigned(), u32::try_from(want).unwrap());
            // SAFETY: no memory but the ring's.
            let result =
                unsafe { sys::io_uring_enter_or_stop(fd, count, want, WAIT, core::ptr::null()) }?;
            Ok(usize::try_from(result).map_err(|_| io::Error::last_os_error()))
        }
    }
}

fn take(ring: &mut IoUring, completed: &mut Vec<u64>) {
    for entry in ring.completion() {
        assert!([0, 8, -libc::ETIME].contains(&entry.result()), "{}", entry.result());
        completed.push(entry.user_data());
    }
}

on_rings! {
    fn entries_in_are_completions_out_under_random_stops() {
        let zeros = Arc::new(File::open("/dev/zero").unwrap());
        let (mut rounds, mut all) = (0, 0);
        let stops = churn(
            6,
            move |_| {
                let mut ring = ring();
                let (mut queued, mut submitted, mut rounds) = (0, 0, 0);
                let mut completed = Vec::new();
                loop {
                    // At most as many as there is room for: five under way.
                    while queued < completed.len() as u64 + 5 && queued - submitted < 3 {
                        push(&mut ring, &entry(queued, &zeros));
                        queued += 1;
                    }
                    let want = usize::try_from(queued).unwrap() - completed.len();
                    match submit_and_wait(&mut ring, rounds % 3, want.min(2)) {
                        Ok(count) => submitted += count.unwrap() as u64,
                        Err(_stopped) => break,
                    }
                    take(&mut ring, &mut completed);
                    rounds += 1;
                }
                // The stop has submitted nothing and taken nothing.
                assert_eq!(ring.submission().len() as u64, queued - submitted);
                while (completed.len() as u64) < queued {
                    submitted += ring.submit_and_wait(1).unwrap() as u64;
                    take(&mut ring, &mut completed);
                }
                assert_eq!(submitted, queued);
                assert_each_once(&completed, 0..queued);
                (rounds, queued)
            },
            |(turns, queued)| {
                rounds += turns;
                all += queued;
            },
        );
        assert!(all > 0, "nothing was submitted");
        println!("{all} entries in {rounds} calls, {stops} stops");
    }
}
