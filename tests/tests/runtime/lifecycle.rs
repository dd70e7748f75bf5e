//! From before a thread starts until after another thread has its id: requests
//! at each stage, by each kind of requester, and what a stop leaves behind.

use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::time::Duration;
use stop_tests::proc::{limit, rest};
use stop_tests::signals::{STOP, catch, errno, is_masked, mask, plain_write, send};
use stop_tests::{SMALL_STACK, part_of, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Stopper, check, stop_requested, thread};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// A pipe that stays empty: what a marked read waits on.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

fn is_stopped(mut reader: &PipeReader) -> bool {
    reader.read_or_stop(&mut [0]).is_err()
}

per_backend! {
    fn a_request_before_the_thread_runs() {
        let (reader, _writer) = quiet();
        let reader = Arc::new(reader);
        for _ in 0..part_of(1_000) {
            let reader = Arc::clone(&reader);
            let handle = thread::spawn(move || is_stopped(&reader));
            assert!(handle.request_stop());
            assert!(handle.join().unwrap());
        }
    }

    fn requests_after_the_end_reach_no_thread() {
        // The ids come round again: a signal to an old one would meet a thread
        // in a plain poll. Where the kernel lets us, it is the very next one.
        let mut same = 0;
        for _ in 0..part_of(2_000) {
            let ended = thread::spawn(|| check().map(|()| thread_id()));
            let stopper = ended.stopper();
            let id = ended.join().unwrap().unwrap();
            let choosing = std::fs::write("/proc/sys/kernel/ns_last_pid", (id - 1).to_string());
            let (sender, receiver) = mpsc::channel();
            let plain = std::thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                // SAFETY: no descriptors, 200 microseconds.
                let result = unsafe {
                    let time = libc::timespec { tv_sec: 0, tv_nsec: 200_000 };
                    libc::ppoll(core::ptr::null_mut(), 0, &raw const time, core::ptr::null())
                };
                (result, errno())
            });
            let reused = receiver.recv().unwrap() == id;
            assert!(stopper.request_stop());
            for _ in 0..20 {
                stopper.request_stop();
            }
            let (result, errno) = plain.join().unwrap();
            assert_eq!(result, 0, "a poll was ended: {errno}");
            same += u32::from(reused && choosing.is_ok());
        }
        eprintln!("{same} ids were used again at once");
    }

    fn requests_while_the_thread_ends() {
        for _ in 0..part_of(2_000) {
            let handle = thread::spawn(check);
            let stopper = handle.stopper();
            let requester = std::thread::spawn(move || stopper.request_stop());
            assert!(requester.join().unwrap());
            let _either = handle.join().unwrap();
        }
    }

    fn a_signal_handler_may_request() {
        static STOPPER: OnceLock<Stopper> = OnceLock::new();
        extern "C" fn on_alarm(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
            STOPPER.get().map(Stopper::request_stop);
        }
        let (reader, _writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            is_stopped(&reader)
        });
        STOPPER.set(handle.stopper()).unwrap();
        wait_until_blocked_in(receiver.recv().unwrap(), &READS);
        catch(libc::SIGALRM, on_alarm, libc::SA_RESTART, &[]);
        send(thread_id(), libc::SIGALRM);
        assert!(handle.join().unwrap());
    }

    fn a_thread_may_request_its_own_stop() {
        let handle = thread::spawn(|| {
            let (reader, _writer) = quiet();
            let own = Stopper::current();
            assert!(check().is_ok());
            (own.request_stop(), own.request_stop(), is_stopped(&reader))
        });
        assert_eq!(handle.join().unwrap(), (true, false, true));
    }

    fn one_of_many_requesters_is_first() {
        const MANY: usize = 8;
        for _ in 0..part_of(200) {
            let (reader, _writer) = quiet();
            let handle = thread::spawn(move || is_stopped(&reader));
            let start = Arc::new(Barrier::new(MANY));
            let requesters: Vec<_> = (0..MANY)
                .map(|_| {
                    let (stopper, start) = (handle.stopper(), Arc::clone(&start));
                    std::thread::spawn(move || {
                        start.wait();
                        stopper.request_stop()
                    })
                })
                .collect();
            let first = requesters.into_iter().map(|one| one.join().unwrap());
            assert_eq!(first.filter(|first| *first).count(), 1);
            assert!(handle.join().unwrap());
        }
    }

    fn a_stop_is_seen_again_and_again() {
        let handle = thread::spawn(|| {
            let (reader, _writer) = quiet();
            (0..100).all(|_| is_stopped(&reader) && check().is_err() && stop_requested())
        });
        handle.request_stop();
        assert!(handle.join().unwrap());
    }

    fn threads_of_others_can_be_stopped() {
        let (reader, _writer) = quiet();
        let reader = &reader;
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let scoped = scope.spawn({
                let sender = sender.clone();
                move || {
                    sender.send((Stopper::current(), thread_id())).unwrap();
                    is_stopped(reader)
                }
            });
            let (stopper, thread) = receiver.recv().unwrap();
            wait_until_blocked_in(thread, &READS);
            assert!(stopper.request_stop());
            assert!(scoped.join().unwrap());
        });
    }

    fn a_panic_in_the_loop_stays_a_panic() {
        let handle = thread::spawn(|| {
            let (reader, writer) = quiet();
            let mut marked = &reader;
            assert!(plain_write(writer.as_raw_fd()));
            loop {
                assert!(marked.read_or_stop(&mut [0]).is_err(), "the byte");
            }
        });
        let panic = handle.join().unwrap_err();
        assert!(panic.downcast_ref::<&str>().is_some_and(|text| text.contains("the byte")));
    }

    fn destructors_of_thread_locals_are_stop_checked() {
        struct AtEnd(mpsc::Sender<bool>);
        impl Drop for AtEnd {
            fn drop(&mut self) {
                self.0.send(is_stopped(&quiet_for_ever())).unwrap();
            }
        }
        thread_local! {
            static AT_END: std::cell::OnceCell<AtEnd> = const { std::cell::OnceCell::new() };
        }
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            // Before the first marked call and after it: destructors run in
            // the order of registration or against it.
            AT_END.with(|cell| assert!(cell.set(AtEnd(sender)).is_ok()));
            is_stopped(&quiet_for_ever())
        });
        handle.request_stop();
        assert!(handle.join().unwrap());
        assert!(receiver.recv().unwrap());
    }

    fn the_smallest_stack_is_enough() {
        // For 0 std takes what libc says.
        let enough = libc::PTHREAD_STACK_MIN == SMALL_STACK;
        for size in if enough { vec![SMALL_STACK, 0] } else { vec![SMALL_STACK] } {
            let (reader, _writer) = quiet();
            let (sender, receiver) = mpsc::channel();
            let handle = thread::Builder::new().stack_size(size).spawn(move || {
                sender.send(thread_id()).unwrap();
                is_stopped(&reader)
            });
            let handle = handle.unwrap();
            wait_until_blocked_in(receiver.recv().unwrap(), &READS);
            handle.request_stop();
            assert!(handle.join().unwrap());
        }
    }

    fn a_join_may_take_its_time() {
        let (reader, _writer) = quiet();
        let handle = thread::spawn(move || is_stopped(&reader));
        let handle = handle.join_timeout(Duration::from_millis(20)).expect_err("it waits");
        assert!(!handle.is_finished());
        handle.request_stop();
        let Ok(result) = handle.join_timeout(limit()) else { panic!("request lost") };
        assert!(result.unwrap());
    }

    fn a_thousand_threads() {
        let (reader, _writer) = quiet();
        let reader = Arc::new(reader);
        let handles: Vec<_> = (0..1_000)
            .map(|_| {
                let reader = Arc::clone(&reader);
                let builder = thread::Builder::new().stack_size(64 * 1024);
                builder.spawn(move || is_stopped(&reader)).unwrap()
            })
            .collect();
        assert!(handles.iter().all(thread::JoinHandle::request_stop));
        assert!(handles.into_iter().all(|handle| handle.join().unwrap()));
    }

    fn a_thread_that_registers_has_the_signal_unblocked() {
        for before in [libc::SIG_BLOCK, libc::SIG_UNBLOCK] {
            let handle = std::thread::spawn(move || {
                mask(before, STOP);
                let _registered = Stopper::current();
                is_masked(STOP)
            });
            // But for the ppoll backend, which opens it only while it waits.
            let ppoll = stopruntime::backend() == stopruntime::Backend::Ppoll;
            assert_eq!(handle.join().unwrap(), ppoll);
        }
    }

    fn a_forked_child_has_threads_of_its_own() {
        let (reader, _writer) = quiet();
        let reader = Arc::new(reader);
        let (theirs, (sender, receiver)) = (Arc::clone(&reader), mpsc::channel());
        let other = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            is_stopped(&theirs)
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &READS);
        let before = rest(thread);
        let forks = thread::spawn(move || {
            // SAFETY: this test runs in a process of its own, whose other
            // threads are asleep in calls that hold no lock.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let fine = catch_unwind(AssertUnwindSafe(|| in_the_child(&other)));
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(i32::from(!fine.unwrap_or(false))) }
            }
            (child, other)
        });
        let (child, other) = forks.join().unwrap();
        let mut status = 0;
        // SAFETY: our child, a valid place.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0, "the child's checks");
        // Its request has signalled no thread here.
        assert_eq!(rest(thread), before);
        assert!(!other.stop_requested());
        assert!(other.stop_and_join().unwrap());
    }
}

fn in_the_child(other: &thread::JoinHandle<bool>) -> bool {
    let ours = thread::spawn(|| is_stopped(&quiet_for_ever()));
    other.request_stop() && !stop_requested() && ours.stop_and_join().unwrap() && {
        // Blocked, so that only a signal to its id of today reaches it.
        let (own, thread) = (Stopper::current(), thread_id());
        std::thread::spawn(move || {
            wait_until_blocked_in(thread, &READS);
            own.request_stop();
        });
        is_stopped(&quiet_for_ever())
    }
}

/// The reading end of a pipe whose writing end is never closed.
fn quiet_for_ever() -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    core::mem::forget(writer);
    reader
}
