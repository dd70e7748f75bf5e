//! What holds a thread or a request: scopes wait for their threads and stop them
//! together, who joins is told of the end, shields keep a request for later.

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::unix::net::UnixStream;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::proc::rest;
use stop_tests::{limit, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{JoinOrStop, ReadOrStop};
use stopruntime::{Stopper, check, shield, stop_requested, thread};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// A pipe that stays empty: what a marked read waits on.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

fn is_stopped(mut reader: &PipeReader) -> bool {
    reader.read_or_stop(&mut [0]).is_err()
}

per_backend! {
    fn a_joining_thread_is_told_of_the_end() {
        let (mut reader, mut writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let (told, outcome) = mpsc::channel();
        std::thread::spawn(move || {
            let worker = thread::spawn(move || reader.read_or_stop(&mut [0]).unwrap().unwrap());
            sender.send(thread_id()).unwrap();
            told.send(worker.join_or_stop().unwrap().unwrap()).unwrap();
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_futex, libc::SYS_futex_waitv]);
        writer.write_all(b"x").unwrap();
        assert_eq!(outcome.recv_timeout(limit()), Ok(1), "the end is not told");
    }

    fn a_request_to_a_scope_stops_all_of_it() {
        let (reader, _writer) = quiet();
        let stopped = AtomicU32::new(0);
        let count = || {
            assert!(is_stopped(&reader));
            stopped.fetch_add(1, Ordering::Relaxed);
        };
        thread::scope(|scope| {
            // More than its list ever keeps without a look at which have ended.
            for _ in 0..20 {
                // Threads of threads belong to it as well.
                scope.spawn(|| {
                    scope.spawn(count);
                    count();
                });
            }
            assert!(!scope.stop_requested());
            assert!(scope.request_stop());
            assert!(!scope.request_stop() && scope.stop_requested());
        });
        assert_eq!(stopped.load(Ordering::Relaxed), 40);
    }

    fn a_thread_that_comes_when_the_scope_is_requested_is_stopped_too() {
        let (reader, _writer) = quiet();
        let stopped = AtomicU32::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(is_stopped(&reader));
                // That is what has stopped this thread.
                scope.spawn(|| stopped.fetch_add(u32::from(is_stopped(&reader)), Ordering::Relaxed));
            });
            scope.request_stop();
        });
        assert_eq!(stopped.load(Ordering::Relaxed), 1);
    }

    fn a_shield_holds_a_request() {
        let (reader, mut writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            let mut marked = &reader;
            let read = shield(|| {
                let panicked = catch_unwind(|| shield(|| panic!("in the inner shield")));
                assert!(panicked.is_err());
                sender.send(thread_id()).unwrap();
                // Requested in here; the inner shield must not have ended both.
                let read = marked.read_or_stop(&mut [0]).map(|result| result.unwrap());
                assert!(stop_requested() && check().is_ok());
                read
            });
            (read, check().is_err(), is_stopped(&reader))
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &READS);
        assert!(handle.request_stop());
        wait_until_blocked_in(thread, &READS);
        writer.write_all(b"x").unwrap();
        assert_eq!(handle.join().unwrap(), (Ok(1), true, true));
    }

    /// Also where the thread is new to the runtime.
    fn in_a_shield_calls_begin_although_a_stop_is_requested() {
        let body = || {
            let (mut reader, mut writer) = quiet();
            writer.write_all(b"x").unwrap();
            let read = shield(|| {
                assert!(Stopper::current().request_stop());
                reader.read_or_stop(&mut [0]).map(|result| result.unwrap())
            });
            (read, check().is_err())
        };
        assert_eq!(thread::spawn(body).join().unwrap(), (Ok(1), true));
        assert_eq!(std::thread::spawn(body).join().unwrap(), (Ok(1), true));
    }

    /// Not even a call that the kernel never restarts, such as one of a socket
    /// with a time-out (signal(7)).
    fn a_request_does_not_disturb_a_shielded_call() {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1_000))).unwrap();
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let mut stream = stream;
            shield(|| stream.read_or_stop(&mut [0]).map(|result| result.unwrap()))
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &[libc::SYS_recvfrom, libc::SYS_ppoll]);
        let before = rest(thread);
        for _ in 0..100 {
            handle.request_stop();
            assert_eq!(rest(thread), before, "the request was noticed");
        }
        peer.write_all(b"x").unwrap();
        assert_eq!(handle.join().unwrap(), Ok(1));
    }

    /// In the shield, or in one within it, the runtime comes to know the thread.
    fn a_request_does_not_disturb_a_thread_that_is_new_in_a_shield() {
        let known: [fn() -> Stopper; 2] = [Stopper::current, || shield(Stopper::current)];
        for make_known in known {
            let (mut stream, mut peer) = UnixStream::pair().unwrap();
            let (sender, receiver) = mpsc::channel();
            let handle = std::thread::spawn(move || {
                shield(|| {
                    sender.send((thread_id(), make_known())).unwrap();
                    stream.read_or_stop(&mut [0]).map(|result| result.unwrap())
                })
            });
            let (thread, stopper) = receiver.recv().unwrap();
            wait_until_blocked_in(thread, &[libc::SYS_recvfrom, libc::SYS_ppoll]);
            let before = rest(thread);
            assert!(stopper.request_stop());
            assert_eq!(rest(thread), before, "the request was noticed");
            peer.write_all(b"x").unwrap();
            assert_eq!(handle.join().unwrap(), Ok(1));
        }
    }

    fn a_panic_ends_the_shield() {
        let handle = thread::spawn(|| {
            assert!(catch_unwind(|| shield(|| panic!("in the shield"))).is_err());
            Stopper::current().request_stop();
            check().is_err()
        });
        assert!(handle.join().unwrap());
    }
}
