//! The end of a thread: destructors that still make marked calls, and ids that
//! come round again at once.

use core::ffi::c_void;
use std::cell::RefCell;
use std::io::{PipeReader, pipe};
use std::process::Command;
use std::sync::mpsc;
use stop_tests::proc::limit;
use stop_tests::seccomp::deny;
use stop_tests::signals::errno;
use stop_tests::{not_tested, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Stopper, check, thread};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// The reading end of a pipe whose writing end is never closed.
fn quiet() -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    core::mem::forget(writer);
    reader
}

fn is_stopped() -> bool {
    quiet().read_or_stop(&mut [0]).is_err()
}

/// Makes a marked call at the end of its thread.
struct AtEnd(mpsc::Sender<i32>, mpsc::Sender<bool>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.send(thread_id()).unwrap();
        self.1.send(is_stopped()).unwrap();
    }
}

thread_local! {
    static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
}

/// What the destructor of a key gets.
struct Keyed {
    id: mpsc::Sender<i32>,
    outcome: mpsc::Sender<bool>,
}

unsafe extern "C" fn at_end_of_key(value: *mut c_void) {
    // SAFETY: the value that the test has stored, once.
    let keyed = unsafe { Box::from_raw(value.cast::<Keyed>()) };
    keyed.id.send(thread_id()).unwrap();
    keyed.outcome.send(is_stopped()).unwrap();
}

per_backend! {
    fn a_destructor_of_a_thread_local_is_stopped_while_it_waits() {
        for known_before in [false, true] {
            let (id, ids) = mpsc::channel();
            let (outcome, outcomes) = mpsc::channel();
            let handle = thread::spawn(move || {
                // Destructors run against the order of registration.
                if known_before {
                    assert!(check().is_ok());
                }
                AT_END.with(|cell| *cell.borrow_mut() = Some(AtEnd(id, outcome)));
            });
            wait_until_blocked_in(ids.recv().unwrap(), &READS);
            assert!(handle.request_stop());
            assert!(outcomes.recv_timeout(limit()).expect("request lost"));
            handle.join().unwrap();
        }
    }

    fn so_it_is_in_a_thread_of_stds() {
        let (id, ids) = mpsc::channel();
        let (outcome, outcomes) = mpsc::channel();
        let (sender, receiver) = mpsc::channel();
        let handle = std::thread::spawn(move || {
            AT_END.with(|cell| *cell.borrow_mut() = Some(AtEnd(id, outcome)));
            sender.send(Stopper::current()).unwrap();
        });
        let stopper = receiver.recv().unwrap();
        wait_until_blocked_in(ids.recv().unwrap(), &READS);
        assert!(stopper.request_stop());
        assert!(outcomes.recv_timeout(limit()).expect("request lost"));
        handle.join().unwrap();
    }

    /// That of a C library, say; a key made before the runtime's and one after.
    fn so_is_a_destructor_of_a_key() {
        let key = || {
            let mut key = 0;
            // SAFETY: a place for the key, a destructor of this type.
            assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(at_end_of_key)) }, 0);
            key
        };
        let before = key();
        assert!(thread::spawn(check).join().unwrap().is_ok());
        let after = key();
        for key in [before, after] {
            let (id, ids) = mpsc::channel();
            let (outcome, outcomes) = mpsc::channel();
            let handle = thread::spawn(move || {
                let value = Box::into_raw(Box::new(Keyed { id, outcome }));
                // SAFETY: the key exists; the destructor takes the value back.
                assert_eq!(unsafe { libc::pthread_setspecific(key, value.cast()) }, 0);
            });
            wait_until_blocked_in(ids.recv().unwrap(), &READS);
            assert!(handle.request_stop());
            assert!(outcomes.recv_timeout(limit()).expect("request lost"));
            handle.join().unwrap();
        }
    }

    /// Runs in a namespace with hardly any process ids. `lifecycle` does the same with
    /// the ids of the whole machine.
    fn reused_thread_ids_are_not_signalled() {
        const NAME: &str = "ends::reused_thread_ids_are_not_signalled";
        const INSIDE: &str = "STOP_TESTS_NAMESPACE";
        if std::env::var_os(INSIDE).is_some() {
            return reuse_ids();
        }
        if stop_tests::emulation_hides(NAME, stop_tests::NO_FILTERS) {
            return;
        }
        if !limit_is_the_namespaces() {
            return not_tested(NAME, "before Linux 6.14 all namespaces share one limit of ids");
        }
        // Its own mounts, for a /proc of its own, where the limit is set; 301 is
        // the lowest that the kernel accepts.
        let script = "echo 400 >/proc/sys/kernel/pid_max || exit 77; exec \"$@\"";
        let output = Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(stop_tests::this_test())
            .env(INSIDE, "1")
            .output();
        let Ok(output) = output else { return not_tested(NAME, "there is no unshare(1)") };
        let text = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(77) || text.contains("unshare:") {
            return not_tested(NAME, format_args!("no namespace: {}", text.trim()));
        }
        assert!(output.status.success(), "{}: {text}", output.status);
        eprintln!("{text}");
    }
}

/// Whether `pid_max` belongs to a namespace alone. Otherwise this would set the
/// machine's. `pid_namespaces(7)`.
fn limit_is_the_namespaces() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.trim().parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(14))
}

/// Ids are given out in turn: threads come and go, and those that have an old
/// one again are in a plain poll while its old owner is requested to stop.
/// Without membarrier nothing but the end of a thread keeps a request from
/// sending its signal.
fn reuse_ids() {
    const THREADS: usize = 1_500;
    deny(libc::SYS_membarrier, libc::ENOSYS);
    let mut old = std::collections::HashMap::new();
    let mut again = 0;
    for _ in 0..THREADS {
        let (sender, receiver) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        // Registered, then without marked calls.
        let handle = thread::spawn(move || {
            assert!(check().is_ok());
            sender.send(thread_id()).unwrap();
            let time = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
            // SAFETY: no descriptors; the time outlives the call.
            let result = unsafe {
                libc::ppoll(core::ptr::null_mut(), 0, &raw const time, core::ptr::null())
            };
            let errno = errno();
            gone.recv().unwrap_err();
            (result, errno)
        });
        let id = receiver.recv().unwrap();
        let stopper: Stopper = handle.stopper();
        if let Some(ended) = old.insert(id, stopper) {
            again += 1;
            for _ in 0..10 {
                ended.request_stop();
            }
        }
        drop(go);
        let (result, errno) = handle.join().unwrap();
        assert_eq!(result, 0, "a poll was ended: {errno}");
    }
    eprintln!("{again} ids were used again");
    assert!(again > THREADS / 2, "{again} ids were used again");
}
