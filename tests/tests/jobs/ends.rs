//! A thread, or its program, that ends in the midst of scopes.

use super::{READS, quiet, reads, stopped};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::proc::rest;
use stop_tests::signals::{STOP, is_masked};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::{
    Backend, Stopper, TimedOut, backend, check, deadline, shield, stop_requested, within,
};

const HOUR: Duration = Duration::from_secs(3600);

unsafe extern "C-unwind" {
    /// As libc declares it, except that it may unwind, as glibc's does.
    fn pthread_exit(value: *mut c_void) -> !;
}

/// What a thread does that is not std's.
type Main = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// In a limit that passes, a scope that is requested, and a shield.
extern "C-unwind" fn ends_inside(job: *mut c_void) -> *mut c_void {
    // SAFETY: the test waits for the end of this thread.
    let job = unsafe { &*job.cast::<Stopper>() };
    let result: Result<(), TimedOut> = within(Duration::from_millis(1), || {
        job.run(|| {
            job.request_stop();
            assert!(check().is_err());
            shield(|| {
                within(HOUR, || {
                    assert!(check().is_ok() && deadline().is_some());
                    // SAFETY: this thread is not std's, and its frames hold nothing that
                    // has to be dropped.
                    unsafe { pthread_exit(null_mut()) }
                })
            })
        })
    });
    unreachable!("{result:?}")
}

fn run_to_its_end(main: Main, argument: &Stopper) {
    let mut thread = core::mem::MaybeUninit::uninit();
    // SAFETY: the same function, as far as the caller goes; the argument outlives the
    // thread, which is waited for.
    unsafe {
        let main = core::mem::transmute::<Main, extern "C" fn(*mut c_void) -> *mut c_void>(main);
        let argument = core::ptr::from_ref(argument).cast_mut().cast();
        assert_eq!(libc::pthread_create(thread.as_mut_ptr(), null(), main, argument), 0);
        assert_eq!(libc::pthread_join(thread.assume_init(), null_mut()), 0);
    }
}

per_backend! {
    /// The next thread that has the record is in none of them.
    fn a_thread_that_exits_inside_leaves_nothing() {
        for _ in 0..50 {
            let job = Stopper::new();
            run_to_its_end(ends_inside, &job);
            let (reader, mut writer) = quiet();
            let (sender, receiver) = mpsc::channel();
            let next = std::thread::spawn(move || {
                assert!(check().is_ok() && !stop_requested() && deadline().is_none());
                sender.send((thread_id(), Stopper::current())).unwrap();
                reads(&reader);
                stopped(&reader);
            });
            let (id, own) = receiver.recv().unwrap();
            wait_until_blocked_in(id, &READS);
            // It interrupts nothing.
            assert!(!job.request_stop());
            writer.write_all(b"x").unwrap();
            assert!(own.request_stop());
            next.join().unwrap();
        }
    }

    /// With other threads in scopes and limits, and a helper that watches over them.
    fn a_program_that_is_executed_begins_anew() {
        const AGAIN: &str = "STOP_TESTS_EXECUTED";
        if std::env::var_os(AGAIN).is_some() {
            return is_new();
        }
        let (reader, _writer) = quiet();
        let reader = std::sync::Arc::new(reader);
        let job = Stopper::new();
        let (sender, receiver) = mpsc::channel();
        for _ in 0..3 {
            let (job, reader, sender) = (job.clone(), reader.clone(), sender.clone());
            std::thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                let result: io::Result<()> =
                    within(HOUR, || job.run(|| Err(stopped(&reader).into())));
                result.unwrap();
            });
        }
        receiver.iter().take(3).for_each(|id| wait_until_blocked_in(id, &READS));
        let asked = Stopper::new();
        asked.request_stop();
        let result: io::Result<()> = within(Duration::ZERO, || {
            asked.run(|| {
                assert!(check().is_err());
                shield(|| {
                    let mut program = stop_tests::this_program();
                    Err(program.args(stop_tests::this_test()).env(AGAIN, "1").exec())
                })
            })
        });
        panic!("not executed: {result:?}");
    }
}

/// The program that was executed, in no scope.
fn is_new() {
    assert!(check().is_ok() && !stop_requested() && deadline().is_none());
    let rest = rest(thread_id());
    assert_eq!((rest.pending, rest.shared_pending), (0, 0));
    assert_eq!(is_masked(STOP), backend() == Backend::Ppoll);
    let (reader, mut writer) = quiet();
    writer.write_all(b"x").unwrap();
    reads(&reader);
    // A helper of its own.
    let late = within(Duration::from_millis(1), || Err::<(), _>(io::Error::from(stopped(&reader))));
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(check().is_ok());
}
