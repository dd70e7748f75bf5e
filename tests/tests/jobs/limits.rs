//! Deadlines: never early, never lost, gone with their scope.

use super::{LONG, READS, quiet, reads, stopped, waits};
use std::io::{self, PipeReader, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::{Cause, Stopper, TimedOut, check, deadline, is_stopped, until, within};

const SHORT: Duration = Duration::from_millis(5);

fn reads_for_ever(reader: &PipeReader) -> io::Result<()> {
    Err(stopped(reader).into())
}

fn is_timed_out(result: io::Result<()>) -> bool {
    result.is_err_and(|error| {
        error.kind() == io::ErrorKind::TimedOut && error.get_ref().unwrap().is::<TimedOut>()
    })
}

per_backend! {
    fn each_kind_of_wait_ends_in_time_and_not_before() {
        let (reader, _writer) = quiet();
        for wait in waits() {
            let begin = Instant::now();
            let result = within(SHORT, || {
                let stopped = wait(&reader);
                assert_eq!((stopped.cause(), stopped.reason()), (Cause::Deadline, None));
                Err(stopped.into())
            });
            assert!(is_timed_out(result));
            assert!(begin.elapsed() >= SHORT);
            assert!(check().is_ok());
        }
    }

    fn a_limit_of_nothing_has_passed() {
        let (reader, _writer) = quiet();
        for _ in 0..2 {
            assert!(is_timed_out(within(Duration::ZERO, || reads_for_ever(&reader))));
            assert!(is_timed_out(until(Instant::now().checked_sub(SHORT).unwrap(), || reads_for_ever(&reader))));
            assert!(check().is_ok());
        }
        // The same one twice, of which the helper has told the thread already.
        let instant = Instant::now() + SHORT;
        for _ in 0..2 {
            assert!(is_timed_out(until(instant, || reads_for_ever(&reader))));
        }
    }

    fn an_ok_passes_whatever_the_clock_says() {
        let (reader, mut writer) = quiet();
        // After its first marked call a thread does not look by itself.
        writer.write_all(b"x").unwrap();
        reads(&reader);
        let result: io::Result<_> = within(Duration::ZERO, || Ok(check().is_err()));
        assert!(result.unwrap());
        // An error that has nothing to do with it passes as well.
        let other = || Err::<(), _>(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(within(Duration::ZERO, other).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    fn the_outer_limit_comes_back() {
        let (reader, _writer) = quiet();
        let begin = Instant::now();
        let result = within(4 * SHORT, || {
            for _ in 0..2 {
                let inner = is_timed_out(within(SHORT, || reads_for_ever(&reader)));
                assert!(inner || begin.elapsed() >= 4 * SHORT);
                check()?;
            }
            // No limit: it is a later one than the one outside.
            within(LONG, || reads_for_ever(&reader))
        });
        assert!(is_timed_out(result));
        assert!(begin.elapsed() >= 4 * SHORT);
    }

    fn a_stop_from_farther_out_passes_through() {
        let (reader, _writer) = quiet();
        let job = Stopper::new();
        job.request_stop();
        let result = job.run(|| within(LONG, || reads_for_ever(&reader)));
        assert!(is_stopped(&result.unwrap_err()));
        // Both: the outer one wins, and knows it as its own.
        let mut passed = false;
        let result = within(Duration::ZERO, || {
            let result = within(Duration::ZERO, || reads_for_ever(&reader));
            passed = result.as_ref().is_err_and(is_stopped);
            result
        });
        assert!(passed && is_timed_out(result));
        // A request to the outer one comes while the inner one is being left.
        let job = Stopper::new();
        let result = job.run(|| {
            within(SHORT, || {
                let result = reads_for_ever(&reader);
                job.request_stop();
                result
            })
        });
        assert!(is_stopped(&result.unwrap_err()));
        // The outer one passes meanwhile.
        let outer = Instant::now() + 2 * SHORT;
        let mut passed = false;
        let result = until(outer, || {
            let result = within(SHORT, || {
                let result = reads_for_ever(&reader);
                while Instant::now() < outer {
                    thread::yield_now();
                }
                result
            });
            passed = result.as_ref().is_err_and(is_stopped);
            result
        });
        assert!(passed && is_timed_out(result));
    }

    fn limits_that_end_in_time_leave_nothing() {
        let (reader, mut writer) = quiet();
        for _ in 0..1000 {
            within(LONG, || {
                writer.write_all(b"x")?;
                reads(&reader);
                Ok::<_, io::Error>(())
            })
            .unwrap();
        }
        // A limit that has passed unseen: what follows it is not stopped by it.
        let passes = || {
            thread::sleep(SHORT);
            Ok::<_, io::Error>(())
        };
        within(Duration::from_millis(1), passes).unwrap();
        writer.write_all(b"x").unwrap();
        reads(&reader);
        assert!(check().is_ok());
    }

    fn a_scope_may_have_a_deadline_of_its_own() {
        let (reader, _writer) = quiet();
        let job = Stopper::new();
        let at = Instant::now() + SHORT;
        job.request_stop_at(at + LONG);
        job.request_stop_at(at);
        job.request_stop_at(at + SHORT);
        assert_eq!(job.run(deadline), Some(at));
        let stopped = job.child().run(|| stopped(&reader));
        assert_eq!(stopped.cause(), Cause::Deadline);
        assert!(Instant::now() >= at);
        assert!(job.stop_requested());
        assert!(check().is_ok());
    }

    fn a_deadline_may_be_given_to_a_scope_that_runs() {
        let (reader, _writer) = quiet();
        let (outer, inner) = (Stopper::new(), Stopper::new());
        let (sender, receiver) = mpsc::channel();
        let worker = thread::spawn({
            let (outer, inner) = (outer.clone(), inner.clone());
            move || {
                outer.run(|| {
                    sender.send(thread_id()).unwrap();
                    inner.run(|| stopped(&reader));
                    // Its own comes later, and was put on it at the same time.
                    assert!(check().is_ok() || outer.stop_requested());
                    stopped(&reader);
                    Instant::now()
                })
            }
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &READS);
        let begin = Instant::now();
        outer.request_stop_at(begin + 3 * SHORT);
        inner.request_stop_at(begin + SHORT);
        assert!(worker.join().unwrap() >= begin + 3 * SHORT);
    }

    /// The one of a scope that was left passes first, and stops nothing.
    fn a_deadline_of_a_scope_that_was_left_hides_no_later_one() {
        let (reader, _writer) = quiet();
        for _ in 0..3 {
            let (outer, left) = (Stopper::new(), Stopper::new());
            let (sender, receiver) = mpsc::channel();
            let (go, gone) = mpsc::channel::<()>();
            thread::scope(|scope| {
                let (theirs, reader, leave) = (left.clone(), &reader, gone);
                let runs = outer.clone();
                scope.spawn(move || {
                    runs.run(|| {
                        theirs.run(|| {
                            sender.send(()).unwrap();
                            leave.recv().unwrap_err();
                        });
                        assert_eq!(stopped(reader).cause(), Cause::Deadline);
                    });
                });
                receiver.recv().unwrap();
                let begin = Instant::now();
                left.request_stop_at(begin + 4 * SHORT);
                outer.request_stop_at(begin + 6 * SHORT);
                // Its read begins before the deadlines or after them: either way it ends.
                drop(go);
            });
        }
    }

    fn the_scope_of_a_limit_can_be_asked_for() {
        let (reader, _writer) = quiet();
        // From within: as a request.
        let result = within(LONG, || {
            let inner = Stopper::current();
            assert!(Stopper::current() == inner);
            thread::spawn(move || inner.request_stop());
            reads_for_ever(&reader)
        });
        assert!(is_timed_out(result) && check().is_ok());
        // Children end with it, elsewhere.
        within(SHORT, || {
            let child = Stopper::current().child();
            let reader = &reader;
            thread::scope(|scope| {
                scope.spawn(move || assert_eq!(child.run(|| stopped(reader)).cause(), Cause::Deadline));
            });
            Ok::<_, io::Error>(())
        })
        .unwrap();
        // What was left is asked in vain.
        let left = within(LONG, || Ok::<_, io::Error>(Stopper::current())).unwrap();
        assert!(left.request_stop());
        assert!(check().is_ok());
        within(LONG, || {
            check().unwrap();
            Ok::<_, io::Error>(())
        }).unwrap();
    }

    fn threads_of_a_scope_have_its_time() {
        let (reader, _writer) = quiet();
        let begin = Instant::now();
        within(SHORT, || {
            stopruntime::thread::scope(|scope| {
                let threads = [(); 3].map(|()| scope.spawn(|| stopped(&reader).cause()));
                for thread in threads {
                    assert_eq!(thread.join().unwrap(), Cause::Deadline);
                }
            });
            Ok::<_, io::Error>(())
        })
        .unwrap();
        assert!(begin.elapsed() >= SHORT);
    }

    fn many_threads_at_once() {
        let (reader, _writer) = quiet();
        thread::scope(|scope| {
            for number in 0..50_u32 {
                let reader = &reader;
                scope.spawn(move || {
                    for round in 0..20 {
                        let limit = Duration::from_micros(u64::from((number * 37 + round * 101) % 3000));
                        let begin = Instant::now();
                        assert!(is_timed_out(within(limit, || reads_for_ever(reader))));
                        assert!(begin.elapsed() >= limit);
                        assert!(check().is_ok());
                    }
                });
            }
        });
    }

    fn a_forked_child_has_its_deadlines() {
        let (reader, _writer) = quiet();
        // The parent's helper sleeps.
        let _ = is_timed_out(within(SHORT, || reads_for_ever(&reader)));
        // And nothing is left that makes the child look.
        assert!(check().is_ok());
        let in_child = within(4 * SHORT, || {
            // SAFETY: the child makes calls that a forked child may make, and ends.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let inherited = reads_for_ever(&reader);
                let mut fine = inherited.is_err() && deadline().is_some();
                fine &= is_timed_out(within(Duration::ZERO, || reads_for_ever(&reader))) || fine;
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(!fine)) };
            }
            let mut status = 0;
            // SAFETY: a place for the status.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            Ok::<_, io::Error>(status)
        });
        assert_eq!(in_child.unwrap(), 0);
        // SAFETY: as above.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let fine = is_timed_out(within(SHORT, || reads_for_ever(&reader)));
            // SAFETY: as above.
            unsafe { libc::_exit(i32::from(!fine)) };
        }
        let mut status = 0;
        // SAFETY: as above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
    }

    /// Given by others, and known to the parent's helper.
    fn a_forked_child_has_the_deadline_of_a_scope_that_runs() {
        let (reader, _writer) = quiet();
        let job = Stopper::new();
        let in_child = job.run(|| {
            job.request_stop_at(Instant::now() + 4 * SHORT);
            // SAFETY: the child makes calls that a forked child may make, and ends.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let fine = stopped(&reader).cause() == Cause::Deadline;
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(!fine)) };
            }
            let mut status = 0;
            // SAFETY: a place for the status.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            status
        });
        assert_eq!(in_child, 0);
    }
}
