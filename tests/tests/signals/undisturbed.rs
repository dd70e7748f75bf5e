//! Code that is not marked never notices a request: no `EINTR`, no spurious
//! wake-up, no signal at all.
//!
//! That no signal is sent is read in /proc: a thread to which one is sent has
//! it pending, or is awake, or has gone to sleep once more than before. There
//! is no fourth state between the return of tgkill(2) and its handler.

use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::{Rest, asleep_in, rest, wait_for};
use stop_tests::seccomp::{deny, deny_with};
use stop_tests::signals::{errno, plain_read, plain_write, waiting};
use stop_tests::{NO_FILTERS, emulation_hides, on_backends, per_backend};
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::Stopper;
use stopruntime::ext::ReadOrStop;
use stopruntime::thread::{self, JoinHandle};

use std::io::pipe;
use std::os::fd::AsRawFd;

/// Starts a thread that can be stopped, waits until it sleeps in one of these
/// system calls, makes requests, and proves that it slept through them.
fn requested_in<T: Send + 'static>(
    calls: &[libc::c_long],
    unmarked: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let (sender, receiver) = mpsc::channel();
    let (mut reader, writer) = pipe().unwrap();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        // A marked call first, which waits: what it has left behind is no
        // reason to be disturbed.
        assert_eq!(reader.read_or_stop(&mut [0]).unwrap().unwrap(), 1);
        sender.send(thread_id()).unwrap();
        unmarked()
    });
    wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_read, libc::SYS_ppoll]);
    assert!(plain_write(writer.as_raw_fd()));
    let thread = receiver.recv().unwrap();
    wait_until_blocked_in(thread, calls);
    let before = rest(thread);
    assert!(handle.request_stop());
    for _ in 0..100 {
        assert!(!handle.request_stop());
        assert_eq!(rest(thread), before, "the request was noticed");
    }
    let expected = Rest { state: "S".into(), pending: 0, ..rest(thread) };
    assert_eq!(before, expected);
    assert!(asleep_in(thread).is_some_and(|call| calls.contains(&call)));
    handle
}

/// A sleep that outlasts the requests, by how long they took another thread on
/// this processor.
fn long_sleep() -> Duration {
    let start = Instant::now();
    let (reader, writer) = pipe().unwrap();
    let handle = requested_in(&[libc::SYS_read], move || plain_read(reader.as_raw_fd()));
    assert!(plain_write(writer.as_raw_fd()));
    assert_eq!(handle.join().unwrap(), Ok(1));
    Duration::from_secs(1).max(5 * start.elapsed())
}

/// ppoll(2) on one descriptor, as it is: its result or the errno.
fn plain_poll(descriptor: i32, timeout: Option<Duration>) -> Result<i32, i32> {
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    let timeout = timeout.map(stop_tests::timespec);
    let timeout = timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: one entry and a time-out that outlive the call.
    let ready = unsafe { libc::ppoll(&raw mut entry, 1, timeout, core::ptr::null()) };
    if ready < 0 { Err(errno()) } else { Ok(ready) }
}

per_backend! {
    fn a_plain_read_sleeps_on() {
        let (reader, writer) = pipe().unwrap();
        let read = move || plain_read(reader.as_raw_fd());
        let handle = requested_in(&[libc::SYS_read], read);
        assert!(plain_write(writer.as_raw_fd()));
        assert_eq!(handle.join().unwrap(), Ok(1));
    }

    fn a_plain_poll_sleeps_on() {
        // The kernel never restarts it: a signal would show.
        let (reader, writer) = pipe().unwrap();
        let wait = move || plain_poll(reader.as_raw_fd(), None);
        let handle = requested_in(&[libc::SYS_ppoll, stop_tests::POLL], wait);
        assert!(plain_write(writer.as_raw_fd()));
        assert_eq!(handle.join().unwrap(), Ok(1));
    }

    fn where_the_kernel_has_no_memory_for_a_barrier() {
        // `MEMBARRIER_CMD_PRIVATE_EXPEDITED`, which has worked until then.
        assert!(stopruntime::check().is_ok());
        deny_with(libc::SYS_membarrier, 8, libc::ENOMEM);
        let (reader, writer) = pipe().unwrap();
        let wait = move || plain_poll(reader.as_raw_fd(), None);
        let handle = requested_in(&[libc::SYS_ppoll, stop_tests::POLL], wait);
        assert!(plain_write(writer.as_raw_fd()));
        assert_eq!(handle.join().unwrap(), Ok(1));
    }

    fn pause_sleeps_on() {
        // Nothing but a signal ends it: the thread is left behind asleep.
        // SAFETY: takes no argument.
        let handle = requested_in(&[stop_tests::PAUSE], || unsafe { libc::pause() });
        assert!(!handle.is_finished());
    }

    fn a_plain_sleep_lasts_its_time() {
        let asked = long_sleep();
        // By the one call or the other, as libc likes.
        let sleeps = [libc::SYS_nanosleep, libc::SYS_clock_nanosleep];
        let handle = requested_in(&sleeps, move || {
            let start = Instant::now();
            let time = stop_tests::timespec(asked);
            // SAFETY: the time outlives the call; the rest is not asked for.
            let result = unsafe { libc::nanosleep(&raw const time, core::ptr::null_mut()) };
            (result, start.elapsed())
        });
        let (result, lasted) = handle.join().unwrap();
        assert_eq!(result, 0);
        assert!(lasted >= asked);
    }

    fn std_sleep_lasts_its_time() {
        let asked = long_sleep();
        let handle = requested_in(&[libc::SYS_clock_nanosleep], move || {
            let start = Instant::now();
            std::thread::sleep(asked);
            start.elapsed()
        });
        assert!(handle.join().unwrap() >= asked);
    }

    fn a_condvar_of_std_is_not_woken() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = Arc::clone(&shared);
        let handle = requested_in(&[libc::SYS_futex], move || {
            let (mutex, condvar) = &*theirs;
            let mut woken = 0;
            let mut done = mutex.lock().unwrap();
            while !*done {
                done = condvar.wait(done).unwrap();
                woken += 1;
            }
            woken
        });
        *shared.0.lock().unwrap() = true;
        shared.1.notify_one();
        assert_eq!(handle.join().unwrap(), 1);
    }

    fn what_follows_a_marked_call_is_not_interrupted() {
        // The request meets the marked call just as it returns with data; the
        // poll after it is entered at once, and a late signal would end it.
        let mut dice = Dice::new();
        let mut data = 0;
        for run in 0..runs(3_000) {
            let (mut reader, writer) = pipe().unwrap();
            let theirs = reader.try_clone().unwrap();
            let (sender, receiver) = mpsc::channel();
            let handle = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                let outcome = reader.read_or_stop(&mut [0]).map(|result| result.unwrap());
                (outcome, plain_poll(-1, Some(Duration::from_micros(100))))
            });
            let thread = receiver.recv().unwrap();
            wait_for("the thread to sleep", || asleep_in(thread).is_some());
            let write_first = dice.chance(2);
            if write_first {
                assert!(plain_write(writer.as_raw_fd()));
                // However fast it is, some requests come after.
                if run % 8 == 0 {
                    wait_for("the byte to be taken", || waiting(&theirs) == 0);
                }
            }
            dice.spin(8_000);
            handle.request_stop();
            let (outcome, poll) = handle.join().unwrap();
            assert_eq!(poll, Ok(0), "run {run}: the poll after {outcome:?} was interrupted");
            data += u64::from(outcome.is_ok());
        }
        assert!(data > 0, "no request came after the data");
    }
}

on_backends! { ["rseq", "handler"];
    /// The exception: whether the thread is in a marked call cannot be known.
    fn without_membarrier_a_request_is_a_signal() {
        if emulation_hides("a sandbox", NO_FILTERS) {
            return;
        }
        deny(libc::SYS_membarrier, libc::ENOSYS);
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            // From then on it is signalled.
            let _ = Stopper::current();
            sender.send(thread_id()).unwrap();
            plain_poll(-1, None)
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_ppoll, stop_tests::POLL]);
        handle.request_stop();
        assert_eq!(handle.join().unwrap(), Err(libc::EINTR));
    }
}
