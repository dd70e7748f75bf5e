//! Panics everywhere: they stay panics, the thread can be stopped before and
//! after, and code that is not marked is left alone afterwards as before.

use std::any::Any;
use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use stop_tests::proc::{limit, rest};
use stop_tests::signals::{errno, plain_write};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::sync::{Condvar, Mutex};
use stopruntime::thread::{self, JoinHandle};
use stopruntime::{check, shield, stop_requested, stoppable};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];
const FUTEX: [libc::c_long; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];

fn text(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<&str>().copied().unwrap_or("not a text")
}

fn joined<T>(handle: JoinHandle<T>) -> std::thread::Result<T> {
    let Ok(result) = handle.join_timeout(limit()) else { panic!("request lost") };
    result
}

/// A thread that reports its id when it has come so far.
fn start<T: Send + 'static>(
    body: impl FnOnce(&dyn Fn()) -> T + Send + 'static,
) -> (JoinHandle<T>, mpsc::Receiver<i32>) {
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || body(&|| sender.send(thread_id()).unwrap()));
    (handle, receiver)
}

fn is_stopped(mut reader: &PipeReader) -> bool {
    reader.read_or_stop(&mut [0]).is_err()
}

fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    text(&*payload).to_owned()
}

/// Makes a marked call when it is dropped, which waits; and says how it ended.
struct ReadsAtTheEnd<'a>(PipeReader, &'a dyn Fn(), mpsc::Sender<bool>);

impl Drop for ReadsAtTheEnd<'_> {
    fn drop(&mut self) {
        (self.1)();
        self.2.send(is_stopped(&self.0)).unwrap();
    }
}

struct PanicsAtTheEnd;

impl Drop for PanicsAtTheEnd {
    fn drop(&mut self) {
        panic!("in the destructor");
    }
}

#[stoppable]
fn reads_with_a_bad_guard(mut reader: PipeReader) {
    loop {
        let _guard = PanicsAtTheEnd;
        #[blocking]
        let _ = reader.read(&mut [0]);
    }
}

/// A pipe that stays empty: what a marked read waits on.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

per_backend! {
    fn in_a_destructor_that_a_stop_runs() {
        let (reader, writer) = quiet();
        let (handle, ids) = start(move |here| {
            here();
            let caught = panic_of(|| reads_with_a_bad_guard(reader));
            // The request outlives the panic.
            (caught, stop_requested(), is_stopped(&quiet().0))
        });
        wait_until_blocked_in(ids.recv().unwrap(), &READS);
        handle.request_stop();
        let expected = ("in the destructor".to_owned(), true, true);
        assert_eq!(joined(handle).unwrap(), expected);
        drop(writer);
    }

    fn a_marked_call_while_a_panic_unwinds_is_stopped_and_the_panic_goes_on() {
        let (reader, _writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let (handle, ids) = start(move |here| {
            let _reads = ReadsAtTheEnd(reader, here, sender);
            panic!("before the marked call");
        });
        wait_until_blocked_in(ids.recv().unwrap(), &READS);
        assert!(handle.request_stop());
        let payload = joined::<()>(handle).unwrap_err();
        assert_eq!(text(&*payload), "before the marked call");
        assert!(receiver.recv().unwrap());
    }

    fn of_one_thread_of_a_scope_the_others_are_stopped_as_ever() {
        let (reader, _writer) = quiet();
        let caught = panic_of(|| {
            thread::scope(|scope| {
                let stopped = scope.spawn(|| is_stopped(&reader));
                let panics = scope.spawn(|| panic!("in the scope"));
                let payload = panics.join().unwrap_err();
                assert_eq!(text(&*payload), "in the scope");
                // Not joined: the scope says so when it is left.
                scope.spawn(|| panic!("unseen"));
                // That has stopped it.
                assert!(stopped.stop_requested());
                assert!(stopped.join().unwrap());
                scope.spawn(|| assert!(is_stopped(&reader)));
            });
        });
        assert_eq!(caught, "a scoped thread panicked");
    }

    fn where_a_lock_is_held_wakes_its_waiters() {
        let lock = Arc::new(Mutex::new(0));
        let (theirs, others) = (Arc::clone(&lock), Arc::clone(&lock));
        let (go, gone) = mpsc::channel();
        let (held, is_held) = mpsc::channel();
        let panics = thread::spawn(move || {
            let _guard = theirs.lock_or_stop().unwrap().unwrap();
            held.send(()).unwrap();
            gone.recv().unwrap();
            panic!("with the lock");
        });
        is_held.recv().unwrap();
        let (waits, ids) = start(move |here| {
            here();
            let poisoned = others.lock_or_stop().unwrap().is_err();
            (poisoned, is_stopped(&quiet().0))
        });
        wait_until_blocked_in(ids.recv().unwrap(), &FUTEX);
        go.send(()).unwrap();
        assert!(joined::<()>(panics).is_err());
        waits.request_stop();
        assert_eq!(joined(waits).unwrap(), (true, true));
    }

    /// The caller's own code, run in the middle of a primitive's wait.
    fn in_the_condition_of_a_wait() {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let theirs = Arc::clone(&shared);
        let (handle, ids) = start(move |here| {
            let (lock, condvar) = &*theirs;
            let caught = panic_of(|| {
                let guard = lock.lock().unwrap();
                here();
                condvar.wait_while_or_stop(guard, |value| {
                    assert!(*value == 0, "{}", "the condition");
                    true
                })
            });
            (caught, lock.is_poisoned(), lock.try_lock().is_err_and(|error| {
                matches!(error, std::sync::TryLockError::Poisoned(_))
            }))
        });
        wait_until_blocked_in(ids.recv().unwrap(), &FUTEX);
        *shared.0.lock().unwrap() = 1;
        shared.1.notify_one();
        let (_, poisoned, free) = joined(handle).unwrap();
        assert!(poisoned && free);
    }

    /// Through it all, the thread does not count as inside of a marked call.
    fn around_marked_calls_leaves_unmarked_ones_alone() {
        let (mut reader, mut writer) = quiet();
        let (wait, mut wake) = quiet();
        let (handle, ids) = start(move |here| {
            for _ in 0..10 {
                let caught = panic_of(|| {
                    assert_eq!(reader.read_or_stop(&mut [0]).unwrap().unwrap(), 1);
                    shield(|| {
                        assert_eq!(reader.read_or_stop(&mut [0]).unwrap().unwrap(), 1);
                        panic!("between marked calls");
                    })
                });
                assert_eq!(caught, "between marked calls");
            }
            here();
            let mut entry = libc::pollfd { fd: wait.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry, which outlives the call.
            let ready = unsafe { libc::poll(&raw mut entry, 1, -1) };
            (ready, errno(), check().is_err())
        });
        writer.write_all(&[b'x'; 20]).unwrap();
        let thread = ids.recv().unwrap();
        wait_until_blocked_in(thread, &[stop_tests::POLL]);
        let before = rest(thread);
        for _ in 0..100 {
            handle.request_stop();
            assert_eq!(rest(thread), before, "the request was noticed");
        }
        assert!(plain_write(wake.as_raw_fd()));
        let (ready, errno, stopped) = joined(handle).unwrap();
        assert_eq!(ready, 1, "errno {errno}");
        assert!(stopped);
        wake.flush().unwrap();
    }
}
