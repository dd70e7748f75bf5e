//! How a thread comes to its record and loses it: without the dynamic loader,
//! whatever it does to its signal mask before, and with the same record in
//! every round of the destructors of thread-specific data.
//! `pthread_key_create(3)`.

use std::ffi::{CString, c_void};
use std::fs::OpenOptions;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::signals::{STOP, is_masked};
use stop_tests::started::blocked;
use stop_tests::{limit, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{JoinOrStop, ReadOrStop};
use stopruntime::{Backend, Stopper, backend, check, thread};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

fn is_stopped(mut reader: &PipeReader) -> bool {
    reader.read_or_stop(&mut [0]).is_err()
}

/// The value of a key: what its destructor does, after so many rounds in which
/// it only sets the value again.
struct Late {
    rounds: u32,
    key: libc::pthread_key_t,
    body: Box<dyn FnOnce()>,
}

unsafe extern "C" fn at_the_end(value: *mut c_void) {
    // SAFETY: the value that `at_end` has stored, or this has: one owner.
    let mut late = unsafe { Box::from_raw(value.cast::<Late>()) };
    if late.rounds == 0 {
        return (late.body)();
    }
    late.rounds -= 1;
    // SAFETY: the key exists.
    unsafe { libc::pthread_setspecific(late.key, Box::into_raw(late).cast()) };
}

/// A key that is younger than the runtime's, whose destructor runs after its.
fn younger_key() -> libc::pthread_key_t {
    let _installed = backend();
    let mut key = 0;
    // SAFETY: a place for the key, and a destructor of this type.
    assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(at_the_end)) }, 0);
    key
}

/// Lets the calling thread do this in that round of its destructors.
fn at_end(key: libc::pthread_key_t, rounds: u32, body: impl FnOnce() + 'static) {
    let value = Box::into_raw(Box::new(Late { rounds, key, body: Box::new(body) }));
    // SAFETY: the key exists; its destructor takes the value back.
    assert_eq!(unsafe { libc::pthread_setspecific(key, value.cast()) }, 0);
}

/// A thread that waits in a plain read as one of its last destructors runs.
fn waits_at_its_end(key: libc::pthread_key_t, rounds: u32) -> (thread::JoinHandle<()>, PipeWriter) {
    let (mut reader, writer) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        assert!(check().is_ok());
        at_end(key, rounds, move || {
            sender.send(thread_id()).unwrap();
            assert_eq!(reader.read(&mut [0]).unwrap(), 1);
        });
    });
    wait_until_blocked_in(receiver.recv().unwrap(), &READS);
    (handle, writer)
}

per_backend! {
    /// It holds its lock while it runs a library's constructors, or, as here,
    /// opens its file. dlopen(3).
    #[cfg(not(target_feature = "crt-static"))]
    fn no_thread_waits_for_the_dynamic_loader() {
        let _installed = backend();
        let path = std::env::temp_dir().join(format!("stop-tests-loader-{}", std::process::id()));
        // Of a process that had this number, and was killed.
        let _ = std::fs::remove_file(&path);
        let name = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: a terminated path.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let (mut outcomes, outcome) = UnixStream::pair().unwrap();
        outcomes.set_read_timeout(Some(limit() / 3)).unwrap();
        // With system calls alone: std asks the loader itself, for destructors of
        // its thread-locals.
        let (ids, started) = mpsc::channel();
        let calls = || {
            let (mut begin, go) = pipe().unwrap();
            let mut outcome = outcome.try_clone().unwrap();
            let ids = ids.clone();
            let calls = move || {
                ids.send(thread_id()).unwrap();
                begin.read_exact(&mut [0]).unwrap();
                let read = begin.read_or_stop(&mut [0]).unwrap().unwrap();
                outcome.write_all(&[u8::try_from(read).unwrap()]).unwrap();
            };
            (go, calls)
        };
        // Before: to start a thread is not what is looked at.
        let ((mut go, theirs), (mut go_ours, ours)) = (calls(), calls());
        let (others, ours) = (std::thread::spawn(theirs), thread::spawn(ours));
        for thread in started.iter().take(2) {
            wait_until_blocked_in(thread, &[libc::SYS_read]);
        }
        let (sender, receiver) = mpsc::channel();
        let loader = std::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            // SAFETY: a terminated path; no library, so nothing is run.
            unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) }.is_null()
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_openat]);
        go.write_all(b"go").unwrap();
        go_ours.write_all(b"go").unwrap();
        let mut seen = [0; 2];
        let both = outcomes.read_exact(&mut seen).is_ok();
        // The file ends: it is no library.
        drop(OpenOptions::new().write(true).open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(loader.join().unwrap());
        assert!(both && seen == [1, 1], "{seen:?}");
        others.join().unwrap();
        ours.join().unwrap();
    }

    /// Threads of a program whose signals are handled by one thread of it.
    fn a_thread_may_mask_all_signals_before_its_first_marked_call() {
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            // SAFETY: a local set, initialised before it is used.
            unsafe {
                let mut all: libc::sigset_t = core::mem::zeroed();
                libc::sigfillset(&raw mut all);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, core::ptr::null_mut());
            }
            let (reader, _writer) = pipe().unwrap();
            sender.send(thread_id()).unwrap();
            let stopped = is_stopped(&reader);
            (stopped, is_masked(STOP), is_masked(libc::SIGTERM))
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &READS);
        assert!(handle.request_stop());
        let Ok(result) = handle.join_timeout(limit() / 3) else { panic!("request lost") };
        assert_eq!(result.unwrap(), (true, backend() == Backend::Ppoll, true));
    }

    fn a_late_destructor_is_stopped_by_an_old_handle() {
        let key = younger_key();
        for rounds in 0..3 {
            let (sender, receiver) = mpsc::channel();
            let (outcome, outcomes) = mpsc::channel();
            let handle = thread::spawn(move || {
                assert!(check().is_ok());
                at_end(key, rounds, move || {
                    let (reader, _writer) = pipe().unwrap();
                    sender.send(thread_id()).unwrap();
                    outcome.send(is_stopped(&reader)).unwrap();
                });
            });
            wait_until_blocked_in(receiver.recv().unwrap(), &READS);
            assert!(handle.request_stop());
            assert_eq!(outcomes.recv_timeout(limit() / 3), Ok(true), "round {rounds}");
            handle.join().unwrap();
        }
    }

    /// Also one whose first marked call that is.
    fn so_it_is_in_a_thread_of_stds() {
        let key = younger_key();
        for (rounds, known) in [(0, true), (0, false), (1, true), (1, false), (2, true), (2, false)] {
            let (sender, receiver) = mpsc::channel();
            let (outcome, outcomes) = mpsc::channel();
            let thread = std::thread::spawn(move || {
                let known = known.then(Stopper::current);
                at_end(key, rounds, move || {
                    let (reader, _writer) = pipe().unwrap();
                    let stopper = known.unwrap_or_else(Stopper::current);
                    sender.send((thread_id(), stopper)).unwrap();
                    outcome.send(is_stopped(&reader)).unwrap();
                });
            });
            let (id, stopper) = receiver.recv().unwrap();
            wait_until_blocked_in(id, &READS);
            assert!(stopper.request_stop());
            assert_eq!(outcomes.recv_timeout(limit() / 3), Ok(true), "round {rounds}");
            thread.join().unwrap();
        }
    }

    /// In the last round, after the runtime's own: nothing requests the thread
    /// any more, and what it has marked waits as it would without a mark.
    fn the_last_destructor_of_all_makes_plain_calls() {
        let key = younger_key();
        let (sender, receiver) = mpsc::channel();
        let (outcome, outcomes) = mpsc::channel();
        let handle = thread::spawn(move || {
            assert!(check().is_ok());
            at_end(key, 3, move || {
                let (mut reader, writer) = pipe().unwrap();
                sender.send((writer, Stopper::current())).unwrap();
                let read = reader.read_or_stop(&mut [0]).map(|result| result.unwrap());
                outcome.send(read.ok()).unwrap();
            });
        });
        let (mut writer, nobody) = receiver.recv().unwrap();
        assert!(nobody.request_stop());
        writer.write_all(b"x").unwrap();
        assert_eq!(outcomes.recv_timeout(limit() / 3), Ok(Some(1)));
        handle.join().unwrap();
    }

    fn a_join_keeps_its_limit_while_late_destructors_run() {
        let key = younger_key();
        for rounds in 0..3 {
            let (handle, mut writer) = waits_at_its_end(key, rounds);
            let handle = handle.join_timeout(Duration::from_millis(5)).expect_err("it waits");
            writer.write_all(b"x").unwrap();
            let Ok(result) = handle.join_timeout(limit() / 3) else { panic!("it has ended") };
            result.unwrap();
        }
    }

    fn a_stop_ends_a_join_while_late_destructors_run() {
        let key = younger_key();
        for rounds in 0..3 {
            let (handle, mut writer) = waits_at_its_end(key, rounds);
            let (joins, _) = blocked(&[libc::SYS_futex, libc::SYS_futex_waitv], move || {
                handle.join_or_stop().is_err()
            });
            assert!(joins.request_stop());
            let Ok(stopped) = joins.join_timeout(limit() / 3) else { panic!("request lost") };
            assert!(stopped.unwrap());
            writer.write_all(b"x").unwrap();
        }
    }
}
