//! The thread goes on after a scope as if nothing had been.

use super::{READS, quiet, reads, stopped};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use stop_tests::{part_of, per_backend, thread_id, wait_until_blocked, wait_until_blocked_in};
use stopruntime::{Stopper, check, stop_requested, thread};

per_backend! {
    fn a_request_ends_the_job_and_not_the_next_one() {
        let (reader, mut writer) = quiet();
        let (first, second) = (Stopper::new(), Stopper::new());
        let (sender, receiver) = mpsc::channel();
        let worker = std::thread::spawn({
            let (first, second) = (first.clone(), second.clone());
            move || {
                sender.send(thread_id()).unwrap();
                first.run(|| stopped(&reader));
                assert!(!stop_requested());
                second.run(|| reads(&reader));
                reads(&reader);
                assert!(check().is_ok());
            }
        });
        let id = receiver.recv().unwrap();
        wait_until_blocked_in(id, &READS);
        assert!(first.request_stop());
        for _ in 0..2 {
            // Again: it interrupts no call of another scope, and none of the thread.
            wait_until_blocked_in(id, &READS);
            assert!(!first.request_stop());
            writer.write_all(b"x").unwrap();
        }
        worker.join().unwrap();
        assert!(first.stop_requested() && !second.stop_requested());
    }

    fn a_scope_that_was_stopped_before_stops_at_once() {
        let (reader, _writer) = quiet();
        let job = Stopper::new();
        job.request_stop();
        for _ in 0..3 {
            // Nothing has looked at the scope before the call does.
            job.run(|| stopped(&reader));
            job.run(|| {
                assert!(check().is_err());
                assert!(stop_requested());
            });
            assert!(!stop_requested());
            assert!(check().is_ok());
        }
    }

    fn unmarked_code_of_a_stopped_scope_is_not_disturbed() {
        let (reader, mut writer) = quiet();
        let job = Stopper::new();
        let (sender, receiver) = mpsc::channel();
        let worker = std::thread::spawn({
            let job = job.clone();
            move || {
                job.run(|| {
                    let mut byte = [0_u8];
                    sender.send(thread_id()).unwrap();
                    // SAFETY: a place for one byte.
                    let length = unsafe {
                        libc::read(std::os::fd::AsRawFd::as_raw_fd(&reader), byte.as_mut_ptr().cast(), 1)
                    };
                    assert_eq!(length, 1, "{}", std::io::Error::last_os_error());
                    assert!(check().is_err());
                });
            }
        });
        let id = receiver.recv().unwrap();
        for _ in 0..100 {
            assert_eq!(wait_until_blocked(id), libc::SYS_read);
            job.request_stop();
        }
        writer.write_all(b"x").unwrap();
        worker.join().unwrap();
    }

    fn a_panic_leaves_the_scopes() {
        let (outer, inner) = (Stopper::new(), Stopper::new());
        inner.request_stop();
        outer.run(|| {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                inner.run(|| {
                    assert!(check().is_err());
                    panic!("in the inner one");
                })
            }));
            assert!(panicked.is_err());
            assert!(check().is_ok());
            outer.request_stop();
            assert!(check().is_err());
        });
        assert!(check().is_ok());
    }

    fn scopes_stand_inside_of_each_other_as_deep_as_one_likes() {
        fn nested(scopes: &[Stopper], look: &mut dyn FnMut()) {
            match scopes {
                [] => look(),
                [first, rest @ ..] => first.run(|| nested(rest, look)),
            }
        }
        for depth in [1, 2, 8, 9, 10, 72, 73, 74, 300] {
            let scopes: Vec<_> = (0..depth).map(|_| Stopper::new()).collect();
            nested(&scopes, &mut || assert!(check().is_ok()));
            scopes[depth - 1].request_stop();
            nested(&scopes, &mut || assert!(check().is_err()));
            nested(&scopes[..depth - 1], &mut || assert!(check().is_ok()));
            scopes[0].request_stop();
            nested(&scopes[..depth - 1], &mut || assert!(depth == 1 || check().is_err()));
        }
        assert!(check().is_ok());
    }

    fn one_scope_many_times() {
        let (reader, _writer) = quiet();
        let job = Stopper::new();
        let (sender, receiver) = mpsc::channel();
        // Two threads at once, each of them inside of itself.
        thread::scope(|scope| {
            for _ in 0..2 {
                let sender = sender.clone();
                scope.spawn(|| {
                    let sender = sender;
                    job.run(|| {
                        job.child().run(|| {
                            job.run(|| {
                                sender.send(thread_id()).unwrap();
                                stopped(&reader);
                            });
                            assert!(check().is_err());
                        });
                        assert!(check().is_err());
                    });
                    assert!(check().is_ok());
                });
            }
            for _ in 0..2 {
                wait_until_blocked_in(receiver.recv().unwrap(), &READS);
            }
            job.request_stop();
        });
    }

    fn what_is_known_of_a_request_the_next_call_knows() {
        let (reader, writer) = quiet();
        for _ in 0..part_of(3_000) {
            let job = Stopper::new();
            let asked = job.clone();
            // The byte is there: only a stop keeps the call from it.
            (&writer).write_all(b"x").unwrap();
            let asks = std::thread::spawn(move || asked.request_stop());
            job.run(|| {
                while !stop_requested() {
                    std::hint::spin_loop();
                }
                stopped(&reader);
            });
            asks.join().unwrap();
            reads(&reader);
        }
    }

    fn a_thread_of_its_own_that_ends_inside_leaves_nothing() {
        // Its record is taken again: by a thread that is not stopped.
        let job = Stopper::new();
        for _ in 0..200 {
            let ended = std::thread::spawn({
                let job = job.clone();
                move || {
                    job.run(|| {
                        job.request_stop();
                        assert!(check().is_err());
                    });
                }
            });
            ended.join().unwrap();
            assert!(std::thread::spawn(|| check().is_ok() && !stop_requested()).join().unwrap());
        }
    }
}
