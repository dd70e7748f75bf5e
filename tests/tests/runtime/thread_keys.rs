//! Destructors of thread-specific data that set their value again run after the
//! runtime has put the thread's record out of use, which it does in each round of
//! them, and in the last after it has given it back: what is marked in them is
//! still stop-checked. `pthread_key_create(3)`.

use std::ffi::c_void;
use std::io::{PipeReader, pipe};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use stop_tests::per_backend;
use stopruntime::ext::ReadOrStop;
use stopruntime::{check, stop_requested, thread};

/// What the destructor saw; -1: it has not run.
static SEEN: AtomicI32 = AtomicI32::new(-1);

/// The key of the destructor below.
static KEY: AtomicU32 = AtomicU32::new(0);
/// The rounds of destructors that are still to come before it looks.
static ROUNDS: AtomicI32 = AtomicI32::new(0);

/// A marked read that would wait for ever, and what the thread is told.
unsafe extern "C" fn at_the_end(value: *mut c_void) {
    if ROUNDS.fetch_sub(1, Ordering::SeqCst) > 0 {
        // SAFETY: the key exists, and has had this value before.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::SeqCst), value) };
        return;
    }
    let stopped = quiet().read_or_stop(&mut [0]).is_err() && check().is_err() && stop_requested();
    SEEN.store(stopped.into(), Ordering::SeqCst);
}

/// The reading end of a pipe whose writing end is never closed.
fn quiet() -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    core::mem::forget(writer);
    reader
}

/// A key that is younger than the runtime's.
fn younger_key() -> libc::pthread_key_t {
    // Registers the first thread, for which the runtime makes its key.
    assert!(thread::spawn(|| check().is_ok()).join().unwrap());
    let mut key = 0;
    // SAFETY: a place for the key, and a destructor of this type.
    assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(at_the_end)) }, 0);
    KEY.store(key, Ordering::SeqCst);
    key
}

per_backend! {
    fn a_request_is_seen_to_the_very_end() {
        let key = younger_key();
        // Marked calls go through a window once, and then the thread ends.
        for rounds in (0..4).cycle().take(100) {
            SEEN.store(-1, Ordering::SeqCst);
            ROUNDS.store(rounds, Ordering::SeqCst);
            let ends = thread::spawn(move || {
                // SAFETY: the key exists; any value that is not null.
                assert_eq!(unsafe { libc::pthread_setspecific(key, (&raw const SEEN).cast()) }, 0);
                quiet().read_or_stop(&mut [0]).is_err()
            });
            assert!(ends.stop_and_join().unwrap());
            assert_eq!(SEEN.load(Ordering::SeqCst), 1);
        }
    }
}
