//! Where libc has not registered the thread for rseq(2), which
//! `GLIBC_TUNABLES=glibc.pthread.rseq=0` makes so, the runtime does it itself,
//! and takes it back before the thread ends. So it does where other code has taken
//! back the registration of libc's area, which libc goes on to export.

use std::io::pipe;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::mpsc;
use stop_tests::rseq::{SIGNATURE, libc_area};
use stop_tests::{on_backends, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Backend, backend, thread};

const TUNABLES: &str = "GLIBC_TUNABLES";
const WITHOUT: &str = "glibc.pthread.rseq=0";
const UNREGISTER: libc::c_long = 1;

/// Goes on in a program without libc's registration, which is read when a
/// program begins.
fn without_libcs() {
    if std::env::var(TUNABLES).is_ok_and(|value| value == WITHOUT) {
        return;
    }
    let program = std::env::current_exe().unwrap();
    let error = Command::new(program).args(std::env::args().skip(1)).env(TUNABLES, WITHOUT).exec();
    panic!("{error}");
}

/// Registers this thread with an area of its own, and takes that back: 0, or
/// what the kernel says if another area is registered. rseq(2).
fn register() -> libc::c_long {
    #[repr(C, align(32))]
    struct Area([u32; 8]);
    let mut area = Area([0; 8]);
    let area = &raw mut area;
    // SAFETY: an area of the size named, which outlives its registration.
    unsafe {
        let size = size_of::<Area>();
        let result = libc::syscall(libc::SYS_rseq, area, size, 0, SIGNATURE);
        if result != 0 {
            return libc::c_long::from(*libc::__errno_location());
        }
        libc::syscall(libc::SYS_rseq, area, size, UNREGISTER, SIGNATURE)
    }
}

/// Takes back libc's own registration of this thread.
fn take_back() -> libc::c_long {
    let area = libc_area().expect("libc registers");
    // As glibc has registered it, whatever of it is in use.
    // SAFETY: its area, which nothing here uses.
    unsafe { libc::syscall(libc::SYS_rseq, area, 32, UNREGISTER, SIGNATURE) }
}

/// -1: not yet.
static AT_THE_END: AtomicI32 = AtomicI32::new(-1);

/// The key of the destructor below.
static KEY: AtomicU32 = AtomicU32::new(0);

/// In the second round of them: the runtime's takes it back in each.
unsafe extern "C" fn at_the_end(value: *mut libc::c_void) {
    const FIRST: *mut libc::c_void = core::ptr::without_provenance_mut(1);
    if value == FIRST {
        let again = core::ptr::without_provenance(2);
        // SAFETY: the key exists; any value that is not null.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::SeqCst), again) };
        return;
    }
    AT_THE_END.store(i32::try_from(register()).unwrap(), Ordering::SeqCst);
}

/// A thread that is stopped in a marked read; what it says besides.
fn stopped<T: Send + 'static>(also: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let reader = thread::spawn(move || {
        let result = also();
        let (mut reader, _writer) = pipe().unwrap();
        sender.send(thread_id()).unwrap();
        (reader.read_or_stop(&mut [0]).is_err(), result)
    });
    wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_read]);
    let (is_stopped, result) = reader.stop_and_join().unwrap();
    assert!(is_stopped);
    result
}

on_backends! { ["rseq"];
    fn the_runtime_registers_and_takes_it_back() {
        without_libcs();
        assert_eq!(std::thread::spawn(register).join().unwrap(), 0, "nothing has registered it");
        assert_eq!(backend(), Backend::Rseq);
        assert_eq!(register(), 0, "nor is it where the proof was made");
        let in_use = || {
            assert!(stopruntime::check().is_ok());
            register()
        };
        assert_eq!(stopped(in_use), libc::c_long::from(libc::EINVAL), "the runtime has");
        // A key that is younger than the runtime's: its destructor runs later.
        let mut key = 0;
        // SAFETY: a place for the key, and a destructor of this type.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(at_the_end)) }, 0);
        KEY.store(key, Ordering::SeqCst);
        for _ in 0..100 {
            AT_THE_END.store(-1, Ordering::SeqCst);
            stopped(move || {
                // SAFETY: the key exists; any value that is not null.
                unsafe { libc::pthread_setspecific(key, core::ptr::without_provenance(1)) }
            });
            assert_eq!(AT_THE_END.load(Ordering::SeqCst), 0, "it is taken back");
        }
    }

    fn an_area_that_other_code_has_taken_back_is_not_used() {
        if std::thread::spawn(register).join().unwrap() == 0 {
            stop_tests::not_tested("libc's area", "libc registers none");
            return;
        }
        assert_eq!(backend(), Backend::Rseq, "the proof is made elsewhere");
        let taken_back = || {
            let result = take_back();
            (result, register())
        };
        assert_eq!(std::thread::spawn(taken_back).join().unwrap(), (0, 0));
        let registered = || {
            assert_eq!(take_back(), 0);
            // Takes the thread into use.
            assert!(stopruntime::check().is_ok());
            register()
        };
        let theirs = std::thread::spawn(registered).join().unwrap();
        assert_eq!(theirs, libc::c_long::from(libc::EINVAL), "the runtime has, with an area of its own");
    }
}
