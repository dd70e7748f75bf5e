//! `thread::scope` waits for its threads as std's does, and stops them together
//! where one of them, its closure or the thread that waits for it ends in another way. What
//! joins a thread, stop-checked or with a limit, leaves its handle with its owner.

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::started::blocked;
use stop_tests::{limit, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{JoinOrStop, ReadOrStop};
use stopruntime::{Stopper, check, shield, stoppable, thread};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];
const FUTEXES: [libc::c_long; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];

fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

fn is_stopped(mut reader: &PipeReader) -> bool {
    reader.read_or_stop(&mut [0]).is_err()
}

/// A handle that can be joined in each way.
trait Join: JoinOrStop<Output = std::thread::Result<bool>> + Sized {
    fn request_stop(&self) -> bool;
    fn join_timeout(self, timeout: Duration) -> Result<std::thread::Result<bool>, Self>;
    fn join_timeout_or_stop(
        &self,
        timeout: Duration,
    ) -> Result<Result<std::thread::Result<bool>, Self>, stopruntime::Stopped>;
}

macro_rules! joins {
    ($($handle:ty),*) => {$(
        impl Join for $handle {
            fn request_stop(&self) -> bool {
                self.request_stop()
            }

            fn join_timeout(self, timeout: Duration) -> Result<std::thread::Result<bool>, Self> {
                self.join_timeout(timeout)
            }

            fn join_timeout_or_stop(
                &self,
                timeout: Duration,
            ) -> Result<Result<std::thread::Result<bool>, Self>, stopruntime::Stopped> {
                self.join_timeout_or_stop(timeout)
            }
        }
    )*};
}
joins!(thread::JoinHandle<bool>, thread::ScopedJoinHandle<'_, bool>);

/// In a thread that is to stop: the handle of one that waits outlasts each kind
/// of join, and the last has its value.
fn keeps_its_handle(handle: impl Join) -> bool {
    let handle = handle.join_timeout(Duration::from_millis(1)).map(drop).expect_err("it waits");
    let outcome = handle.join_timeout_or_stop(Duration::from_millis(1)).expect("not requested");
    let handle = outcome.map(drop).expect_err("it waits");
    Stopper::current().request_stop();
    let stopped = handle.join_or_stop().is_err()
        && handle.join_timeout_or_stop(Duration::MAX).is_err()
        && handle.join_timeout_or_stop(Duration::ZERO).is_err();
    assert!(handle.request_stop());
    let value = shield(|| handle.join_or_stop()).unwrap().unwrap();
    // It has given its thread away.
    let again = catch_unwind(AssertUnwindSafe(|| shield(|| handle.join_or_stop())));
    stopped && value && again.is_err()
}

#[stoppable(or = false)]
fn joins_marked(handle: &thread::JoinHandle<bool>) -> bool {
    #[blocking]
    let first = handle.join_timeout(Duration::from_millis(1));
    let Err(handle) = first else { return false };
    handle.request_stop();
    #[blocking]
    let value = handle.join().unwrap();
    value
}

/// True if it is stopped, and the handle is there still.
#[stoppable(break)]
fn joins_for_ever(handle: &thread::JoinHandle<bool>) -> bool {
    let mut joined = false;
    for _ in 0..1 {
        #[blocking]
        let _value = handle.join();
        joined = true;
    }
    !joined && !handle.is_finished()
}

/// Runs a scope as it is dropped, and notes how many of its reads had their byte.
struct CleansUp<'a>(&'a AtomicU32);

impl Drop for CleansUp<'_> {
    fn drop(&mut self) {
        let (reader, mut writer) = quiet();
        let (own, reads) = (thread_id(), self.0);
        thread::scope(|scope| {
            scope
                .spawn(move || reads.fetch_add(u32::from(!is_stopped(&reader)), Ordering::Relaxed));
            scope.spawn(move || {
                wait_until_blocked_in(own, &FUTEXES);
                writer.write_all(b"x").unwrap();
            });
        });
    }
}

per_backend! {
    fn a_scope_waits_for_its_threads() {
        let (reader, mut writer) = quiet();
        let done = AtomicU32::new(0);
        let (sender, receiver) = mpsc::channel();
        // Also of a thread that can be requested, and so waits stop-checked.
        let _known = Stopper::current();
        thread::scope(|scope| {
            for _ in 0..4 {
                let sender = sender.clone();
                let (mut reader, done) = (&reader, &done);
                scope.spawn(move || {
                    sender.send(thread_id()).unwrap();
                    assert_eq!(reader.read_or_stop(&mut [0]).unwrap().unwrap(), 1);
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
            let own = thread_id();
            scope.spawn(move || {
                receiver.iter().take(4).for_each(|thread| wait_until_blocked_in(thread, &READS));
                // The closure is over: its thread waits for the others.
                wait_until_blocked_in(own, &FUTEXES);
                writer.write_all(b"four").unwrap();
            });
        });
        assert_eq!(done.load(Ordering::Relaxed), 4);
    }

    fn a_scope_that_panics_stops_its_threads() {
        let (reader, _writer) = quiet();
        let stopped = AtomicU32::new(0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| stopped.fetch_add(u32::from(is_stopped(&reader)), Ordering::Relaxed));
                panic!("the closure");
            });
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"the closure"));
        assert_eq!(stopped.load(Ordering::Relaxed), 1);
    }

    fn a_thread_that_panics_stops_its_siblings() {
        let (reader, _writer) = quiet();
        let stopped = AtomicU32::new(0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        stopped.fetch_add(u32::from(is_stopped(&reader)), Ordering::Relaxed)
                    });
                }
                scope.spawn(|| panic!("one of them"));
            });
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"a scoped thread panicked"));
        assert_eq!(stopped.load(Ordering::Relaxed), 3);
    }

    fn a_scope_of_a_destructor_is_not_stopped_by_the_panic_that_runs_it() {
        let reads = AtomicU32::new(0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let _cleans_up = CleansUp(&reads);
            panic!("unwinds");
        }));
        assert!(outcome.is_err());
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        // Nor in a thread of a scope, whose siblings this panic does stop.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                let _joined = scope.spawn(|| {
                    let _cleans_up = CleansUp(&reads);
                    panic!("one of them");
                });
            });
        }));
        assert!(outcome.is_err());
        assert_eq!(reads.load(Ordering::Relaxed), 2);
    }

    fn a_stop_of_the_waiting_thread_is_handed_on() {
        let (reader, _writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let owner = thread::spawn(move || {
            let stopped = AtomicU32::new(0);
            thread::scope(|scope| {
                scope.spawn(|| stopped.fetch_add(u32::from(is_stopped(&reader)), Ordering::Relaxed));
                sender.send(thread_id()).unwrap();
            });
            stopped.into_inner()
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &FUTEXES);
        assert!(owner.request_stop());
        let Ok(stopped) = owner.join_timeout(limit() / 3) else { panic!("request lost") };
        assert_eq!(stopped.unwrap(), 1);
    }

    fn not_in_a_shield() {
        let (reader, mut writer) = quiet();
        let owner = thread::spawn(move || {
            Stopper::current().request_stop();
            let (mut read, own) = (Ok(Ok(0)), thread_id());
            shield(|| {
                thread::scope(|scope| {
                    scope.spawn(|| read = (&reader).read_or_stop(&mut [0]));
                    scope.spawn(|| {
                        wait_until_blocked_in(own, &FUTEXES);
                        writer.write_all(b"x").unwrap();
                    });
                });
            });
            read.unwrap().unwrap()
        });
        assert_eq!(owner.join().unwrap(), 1);
    }

    fn a_join_that_is_stopped_or_too_late_keeps_the_handle() {
        let waits = || {
            let (reader, _writer) = quiet();
            is_stopped(&reader)
        };
        assert!(thread::spawn(move || keeps_its_handle(thread::spawn(waits))).join().unwrap());
        let scoped = thread::spawn(move || thread::scope(|scope| keeps_its_handle(scope.spawn(waits))));
        assert!(scoped.join().unwrap());
    }

    fn joins_can_be_marked() {
        let (reader, _writer) = quiet();
        assert!(joins_marked(&thread::spawn(move || is_stopped(&reader))));

        let (reader, _writer) = quiet();
        let joined = thread::spawn(move || is_stopped(&reader));
        let stopper = joined.stopper();
        let (joins, _) = blocked(&FUTEXES, move || {
            joins_for_ever(&joined)
        });
        assert!(joins.request_stop());
        assert!(joins.join().unwrap());
        assert!(stopper.request_stop());
    }

    fn the_owner_of_a_thread_takes_it_along() {
        let ended = std::sync::Arc::new(AtomicU32::new(0));
        let waits = || {
            let ended = std::sync::Arc::clone(&ended);
            move || {
                let (reader, _writer) = quiet();
                ended.fetch_add(u32::from(is_stopped(&reader)), Ordering::SeqCst);
            }
        };
        drop(thread::spawn(waits()).stop_on_drop());
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        // In each other way it is left as it is.
        let owner = thread::spawn(waits()).stop_on_drop();
        let owner = owner.join_timeout(Duration::from_millis(1)).expect_err("it waits");
        assert!(!owner.stop_requested());
        let handle = owner.into_handle();
        assert!(!handle.stop_requested());
        handle.stop_on_drop().stop_and_join().unwrap();
        assert_eq!(ended.load(Ordering::SeqCst), 2);
        // A panic stays in its thread, as when a handle is dropped.
        drop(thread::spawn(|| panic!("in the thread")).stop_on_drop());
        // By the thread itself.
        let (sender, receiver) = mpsc::channel::<thread::StopOnDrop<()>>();
        let (outcome, outcomes) = mpsc::channel();
        let owner = thread::spawn(move || {
            drop(receiver.recv().unwrap());
            outcome.send(check().is_err()).unwrap();
        });
        sender.send(owner.stop_on_drop()).unwrap();
        assert_eq!(outcomes.recv_timeout(limit() / 3), Ok(true));
    }
}
