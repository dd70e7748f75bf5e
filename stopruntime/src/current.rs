//! This thread's record: found by one thread-local read, readable from the
//! signal handler.
//!
//! A thread that has made no marked call yet, and every thread on
//! [`Backend::Ppoll`](crate::Backend::Ppoll), has its line point to
//! [`DIVERT`], whose flag is always set: its windows lead to the cold path
//! without a test of their own on the hot one.
//!
//! # Safety
//!
//! The invariant of this module: `CURRENT.record` is null or points to a
//! record of which this thread holds one strong count until
//! [`on_thread_end`]; `CURRENT.line` points to that record's line or to
//! `DIVERT`. Both are only ever touched by their own thread, the handler
//! included, and have no destructor.

#![allow(unsafe_code)]

use crate::record::{REQUESTED, Record, SHIELDED};
use crate::window::{Line, rseq};
use crate::{backend, signal};
use core::cell::Cell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// The line of threads that cannot use a window.
static DIVERT: Line =
    Line { flag: AtomicU32::new(REQUESTED), marker: AtomicU32::new(0), rseq_cs: rseq::nowhere() };

/// Its value is a thread's record.
static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();

struct Current {
    line: Cell<*const Line>,
    record: Cell<*const Record>,
    shields: Cell<u32>,
    /// The flag of the record this thread had, for code that runs after it.
    left: Cell<u32>,
    /// The first round of key destructors is over.
    ending: Cell<bool>,
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            line: Cell::new(&raw const DIVERT),
            record: Cell::new(core::ptr::null()),
            shields: Cell::new(0),
            left: Cell::new(0),
            ending: Cell::new(false),
        }
    };
}

/// The line a window of this thread uses.
#[inline(always)]
pub(crate) fn line() -> *const Line {
    CURRENT.with(|current| current.line.get())
}

/// Whether a thread with this line has nothing to look at after its call:
/// neither a request nor the detour of [`DIVERT`].
///
/// # Safety
///
/// `line` came from [`line`] on this thread.
#[inline(always)]
pub(crate) unsafe fn is_quiet(line: *const Line) -> bool {
    // SAFETY: the module's invariant.
    unsafe { (*line).flag.load(Ordering::Relaxed) & REQUESTED == 0 }
}

/// A checkpoint's test on the hot path: may the thread be stopped, or has it
/// to look more closely?
#[inline(always)]
pub(crate) fn is_suspect() -> bool {
    // SAFETY: the module's invariant.
    unsafe { (*line()).flag.load(Ordering::Relaxed) == REQUESTED }
}

/// This thread's record, if it has one.
pub(crate) fn record<'thread>() -> Option<&'thread Record> {
    // SAFETY: the module's invariant: null or alive until the thread ends.
    CURRENT.with(|current| unsafe { current.record.get().as_ref() })
}

/// As [`record`], for the signal handler: a thread that has never touched
/// `CURRENT` may be in the middle of an allocation, and in a library that was
/// opened later the first touch allocates. `pthread_getspecific` does not.
pub(crate) fn record_by_key<'thread>() -> Option<&'thread Record> {
    let key = *KEY.get()?;
    // SAFETY: the key exists. Its value is null, or of which this thread holds a
    // count: a record, from before its first request can be made until after
    // its last signal.
    unsafe { libc::pthread_getspecific(key).cast::<Record>().as_ref() }
}

/// This thread's record, made on first use.
pub(crate) fn registered<'thread>() -> &'thread Record {
    match record() {
        Some(record) => record,
        None => register(Arc::new(Record::new(CURRENT.with(|current| current.left.get())))),
    }
}

/// A strong reference to this thread's record.
pub(crate) fn shared() -> Arc<Record> {
    let record: *const Record = registered();
    // SAFETY: the pointer came from `Arc::into_raw` in `register`, and this
    // thread's count keeps it alive.
    unsafe {
        Arc::increment_strong_count(record);
        Arc::from_raw(record)
    }
}

/// Gives the calling thread, which has none yet, this record.
#[cold]
pub(crate) fn register<'thread>(record: Arc<Record>) -> &'thread Record {
    let backend = backend::ensure();
    let masked = backend == crate::Backend::Ppoll;
    // Not to be had if another library has registered this thread: then the
    // handler does the work alone.
    let rseq_cs = (backend == crate::Backend::Rseq).then(rseq::rseq_cs).and_then(Result::ok);
    let key = thread_end_key();
    let pointer = Arc::into_raw(record);
    // SAFETY: the key exists; the value is the count that `on_thread_end` gives
    // back.
    let stored = unsafe { libc::pthread_setspecific(key, pointer.cast()) };
    assert!(stored == 0, "stopruntime: no memory to register this thread");
    // SAFETY: the count just stored keeps it alive.
    let record = unsafe { &*pointer };
    // The line first: a handler that finds the record may look at it.
    record.begin(rseq_cs, masked);
    CURRENT.with(|current| {
        if current.shields.get() != 0 {
            record.line.flag.fetch_or(SHIELDED, Ordering::Relaxed);
        }
        current.record.set(pointer);
        if !masked {
            current.line.set(&raw const record.line);
        }
    });
    signal::set_mask(if masked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK });
    record
}

/// A key destructor runs after those of all thread-locals (glibc), and the
/// second round of them after those of all other keys, so that marked calls in
/// each are still stop-checked. `pthread_key_create(3)`.
fn thread_end_key() -> libc::pthread_key_t {
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: a valid place for the key and a destructor of this type.
        let made = unsafe { libc::pthread_key_create(&raw mut key, Some(on_thread_end)) };
        assert!(made == 0, "stopruntime: the process has no thread-specific key left");
        key
    })
}

unsafe extern "C" fn on_thread_end(value: *mut c_void) {
    let pointer = value.cast_const().cast::<Record>();
    let key = thread_end_key();
    // Still this thread's, for the handler, and so that there is a second round.
    // SAFETY: the key exists and has had this value before: no memory is taken.
    unsafe { libc::pthread_setspecific(key, value) };
    if !CURRENT.with(|current| current.ending.replace(true)) {
        return;
    }
    // SAFETY: the value `register` stored on this thread: a strong count.
    let record = unsafe { Arc::from_raw(pointer) };
    CURRENT.with(|current| {
        current.line.set(&raw const DIVERT);
        current.left.set(record.line.flag.load(Ordering::Relaxed) & REQUESTED);
    });
    // With the record still current: it drains a last signal, and the handler
    // has to know that as ours.
    record.end();
    CURRENT.with(|current| current.record.set(core::ptr::null()));
    // SAFETY: as above.
    unsafe { libc::pthread_setspecific(key, core::ptr::null()) };
    #[cfg(feature = "crossbeam-channel")]
    crate::watch::forget(&record);
}

/// Has forked children put themselves in order. Called by the installation.
pub(crate) fn watch_forks() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, Ordering::Relaxed) {
        // SAFETY: three handlers, of which the null ones are not called. It
        // fails for want of memory only; a forked child then signals no thread.
        unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
    }
}

unsafe extern "C" fn after_fork() {
    crate::process::after_fork();
    #[cfg(feature = "crossbeam-channel")]
    crate::watch::after_fork();
    if let Some(record) = record() {
        record.after_fork();
    }
}

/// Whether requests are held.
#[cfg(feature = "crossbeam-channel")]
pub(crate) fn is_shielded() -> bool {
    CURRENT.with(|current| current.shields.get() != 0)
}

/// Enters a shield: requests are held until the matching [`unshield`].
pub(crate) fn shield() {
    CURRENT.with(|current| {
        if current.shields.replace(current.shields.get() + 1) == 0
            && let Some(record) = record()
        {
            record.line.flag.fetch_or(SHIELDED, Ordering::SeqCst);
        }
    });
}

/// Leaves a shield entered on this thread.
pub(crate) fn unshield() {
    CURRENT.with(|current| {
        let depth = current.shields.get() - 1;
        current.shields.set(depth);
        if depth == 0
            && let Some(record) = record()
        {
            record.line.flag.fetch_and(!SHIELDED, Ordering::SeqCst);
        }
    });
}
