//! What a marked call leaves behind in its thread: nothing.

use std::fs::File;
use std::io::pipe;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use stop_tests::proc::{rest, wait_for};
use stop_tests::rseq::{RSEQ_CS, libc_area};
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, is_masked, plain_read, plain_write};
use stop_tests::{on_backends, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::{Backend, Stopper, backend, check, thread};

/// The calling thread's `rseq_cs`, in the area that glibc has registered; none
/// if it has not.
fn rseq_cs<'thread>() -> Option<&'thread AtomicU64> {
    let area = libc_area()?;
    // SAFETY: the field lives as long as the thread.
    Some(unsafe { &*area.add(RSEQ_CS).cast() })
}

on_backends! { ["rseq", "handler"];
    /// There every request is a signal, also to a thread in no marked call: an
    /// unmarked read goes on, and nothing stays blocked for what follows.
    fn without_membarrier_unmarked_code_keeps_its_mask() {
        deny(libc::SYS_membarrier, libc::ENOSYS);
        let (reader, writer) = pipe().unwrap();
        let (sender, receiver) = mpsc::channel();
        let waiter = thread::spawn(move || {
            // From here on it has what a signal needs.
            assert!(check().is_ok());
            sender.send(thread_id()).unwrap();
            let read = plain_read(reader.as_raw_fd());
            (read, rest(thread_id()).pending, is_masked(STOP))
        });
        let id = receiver.recv().unwrap();
        wait_until_blocked_in(id, &[libc::SYS_read]);
        let before = rest(id).sleeps;
        waiter.request_stop();
        wait_for("the signal to be taken", || rest(id).sleeps > before);
        wait_until_blocked_in(id, &[libc::SYS_read]);
        assert!(plain_write(writer.as_raw_fd()));
        assert_eq!(waiter.join().unwrap(), (Ok(1), 0, false));
    }
}

on_backends! { ["rseq"];
    /// It may stand in a library that is closed before the kernel looks.
    fn no_descriptor() {
        let reader = thread::spawn(|| {
            let mut zero = File::open("/dev/zero").unwrap();
            let field = rseq_cs()?;
            // The kernel takes one off when it next preempts the thread, so
            // that a single look might come too late.
            let mut read = |_| {
                let outcome = zero.read_or_stop(&mut [0]).map(|result| result.unwrap());
                (outcome.ok(), field.load(Ordering::Relaxed))
            };
            let done: Vec<_> = (0..1_000).map(&mut read).collect();
            Stopper::current().request_stop();
            let stopped: Vec<_> = (0..1_000).map(&mut read).collect();
            Some((done, stopped))
        });
        let Some((done, stopped)) = reader.join().unwrap() else {
            return eprintln!("glibc has not registered this thread");
        };
        assert!(done.iter().all(|seen| *seen == (Some(1), 0)), "{done:?}");
        assert!(stopped.iter().all(|seen| *seen == (None, 0)), "{stopped:?}");
    }
}

per_backend! {
    fn no_signal_and_no_change_of_the_mask() {
        let waits: [fn() -> bool; 2] = [
            || pipe().is_ok_and(|(mut reader, _writer)| reader.read_or_stop(&mut [0]).is_err()),
            || sleep_or_stop(core::time::Duration::MAX).is_err(),
        ];
        // As a rule the handler has seen which signal came; without that the
        // thread opens its mask to take it, and has to close it again.
        for (wait, tells) in waits.into_iter().flat_map(|wait| [(wait, true), (wait, false)]) {
            let (sender, receiver) = mpsc::channel();
            let waiter = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                (wait(), rest(thread_id()).pending, is_masked(STOP))
            });
            let calls = [libc::SYS_read, libc::SYS_ppoll, libc::SYS_futex];
            wait_until_blocked_in(receiver.recv().unwrap(), &calls);
            let held_off = backend() == Backend::Ppoll;
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    if !tells {
                        deny(libc::SYS_rt_tgsigqueueinfo, libc::EPERM);
                    }
                    waiter.request_stop()
                });
            });
            assert_eq!(waiter.join().unwrap(), (true, 0, held_off));
        }
    }
}
