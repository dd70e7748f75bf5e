//! Who holds a thread or a request: scopes stop what is left in them, shields
//! keep a request for later.

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Stopper, check, shield, stop_requested, thread};

const READS: [i64; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// A pipe that stays empty: what a marked read waits on.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

fn is_stopped(mut reader: &PipeReader) -> bool {
    reader.read_or_stop(&mut [0]).is_err()
}

per_backend! {
    fn a_scope_stops_what_is_left_in_it() {
        let (reader, _writer) = quiet();
        let stopped = AtomicU32::new(0);
        let count = || {
            assert!(is_stopped(&reader));
            stopped.fetch_add(1, Ordering::Relaxed);
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                // Threads of threads belong to it as well.
                scope.spawn(|| {
                    scope.spawn(count);
                    count();
                });
            }
        });
        assert_eq!(stopped.load(Ordering::Relaxed), 16);
    }

    fn a_scope_that_panics_stops_as_well() {
        let (reader, _writer) = quiet();
        let stopped = AtomicU32::new(0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| stopped.fetch_add(u32::from(is_stopped(&reader)), Ordering::Relaxed));
                panic!("the closure");
            });
        }));
        assert!(outcome.is_err());
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

    fn a_panic_ends_the_shield() {
        let handle = thread::spawn(|| {
            assert!(catch_unwind(|| shield(|| panic!("in the shield"))).is_err());
            Stopper::current().request_stop();
            check().is_err()
        });
        assert!(handle.join().unwrap());
    }
}
