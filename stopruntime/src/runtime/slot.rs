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
//! The invariant of this module: `CURRENT.own` is null or points to a record of
//! which this thread holds one count until [`detach`](super::detach);
//! `CURRENT.record` is that or null; `CURRENT.line` points to the line of
//! `CURRENT.record` or of a static. All are only ever touched by their own
//! thread, the handler included, and have no destructor.

#![allow(unsafe_code)]

use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::window::{Line, rseq};
use core::cell::Cell;
use core::ffi::c_int;
use core::sync::atomic::{AtomicU32, Ordering};

/// The line of threads that cannot use a window.
pub(super) static DIVERT: Line =
    Line { flag: AtomicU32::new(LOOK), marker: AtomicU32::new(0), rseq_cs: rseq::nowhere() };

/// The lines and records of threads that have none of their own now: while the
/// runtime makes one, and after it has given it back. No request reaches them.
static PLAIN: Record = Record::standing_in(false);

/// As [`PLAIN`], of threads that had been requested to stop.
static STOPPED: Record = Record::standing_in(true);

/// The key whose value is a thread's record, or [`NO_KEY`].
pub(super) static KEY: AtomicU32 = AtomicU32::new(NO_KEY);

/// Another one with the same value, for a handler that interrupts libc after it
/// has taken the value of [`KEY`] away and before the destructor puts it back.
pub(super) static SPARE: AtomicU32 = AtomicU32::new(NO_KEY);

pub(super) const NO_KEY: libc::pthread_key_t = libc::pthread_key_t::MAX;

pub(super) struct Current {
    pub(super) line: Cell<*const Line>,
    /// The thread's record while it is in use: from its first marked call on.
    pub(super) record: Cell<*const Record>,
    /// The same, whether in use or not.
    pub(super) own: Cell<*const Record>,
    /// The record this thread had had been requested to stop, for code that runs
    /// after it.
    pub(super) left_requested: Cell<bool>,
    /// How often the destructor of the key has run.
    pub(super) rounds: Cell<u32>,
    /// [`PLAIN`] or [`STOPPED`] stands in for a record.
    pub(super) stands_in: Cell<bool>,
}

thread_local! {
    pub(super) static CURRENT: Current = const {
        Current {
            line: Cell::new(&raw const DIVERT),
            record: Cell::new(core::ptr::null()),
            own: Cell::new(core::ptr::null()),
            left_requested: Cell::new(false),
            rounds: Cell::new(0),
            stands_in: Cell::new(false),
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
    unsafe { (*line).flag.load(Ordering::Relaxed) & LOOK == 0 }
}

/// A checkpoint's test on the hot path: may the thread be stopped, or has it
/// to look more closely?
#[inline(always)]
pub(crate) fn is_suspect() -> bool {
    // SAFETY: the module's invariant.
    unsafe { (*line()).flag.load(Ordering::Relaxed) == LOOK }
}

/// This thread's record, if it is in use.
#[inline]
pub(crate) fn record<'thread>() -> Option<&'thread Record> {
    // SAFETY: the module's invariant: null or alive until the thread ends.
    CURRENT.with(|current| unsafe { current.record.get().as_ref() })
}

/// This thread's record, if it has one.
#[inline]
pub(crate) fn own<'thread>() -> Option<&'thread Record> {
    // SAFETY: as above.
    CURRENT.with(|current| unsafe { current.own.get().as_ref() })
}

/// This thread's record, or what stands in for one.
pub(crate) fn own_or_standing_in<'thread>() -> &'thread Record {
    own().unwrap_or_else(stand_in)
}

/// As [`own`], for the signal handler: a thread that has never touched
/// `CURRENT` may be in the middle of an allocation, and in a library that was
/// opened later the first touch allocates. `pthread_getspecific` does not.
pub(crate) fn record_by_key<'thread>() -> Option<&'thread Record> {
    // mutant: handler-knows-ending-thread
    value(&KEY).or_else(|| value(&SPARE))
}

fn value<'thread>(key: &AtomicU32) -> Option<&'thread Record> {
    let key = key.load(Ordering::Acquire);
    if key == NO_KEY {
        return None;
    }
    // SAFETY: the key exists. Its value is null, or of which this thread holds a
    // count: a record, from before its first request can be made until after
    // its last signal.
    unsafe { libc::pthread_getspecific(key).cast::<Record>().as_ref() }
}

/// Gives the keys of the calling thread this value. An error, and then no value,
/// for want of memory: not where they have had one already.
pub(super) fn set_keys(record: *const Record) -> c_int {
    // SAFETY: the key exists.
    let set = |key: &AtomicU32, value: *const Record| unsafe {
        libc::pthread_setspecific(key.load(Ordering::Acquire), value.cast())
    };
    match set(&KEY, record) {
        0 => {}
        errno => return errno,
    }
    let errno = set(&SPARE, record);
    if errno != 0 {
        set(&KEY, core::ptr::null());
    }
    errno
}

pub(super) fn left_requested() -> bool {
    CURRENT.with(|current| current.left_requested.get())
}

/// Runs `f` while marked calls of this thread are plain ones: an allocator that
/// makes one does not begin what is in progress once more.
pub(crate) fn plainly<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool, *const Line);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| {
                current.stands_in.set(self.0);
                current.line.set(self.1);
            });
        }
    }
    let _restore = CURRENT.with(|current| {
        if !current.record.get().is_null() {
            // In use: nothing has to be made for it.
            return None;
        }
        // mutant: allocator-may-make-marked-calls
        Some(Restore(current.stands_in.replace(true), current.line.get()))
    });
    f()
}

/// What stands in for the record of this thread.
pub(super) fn stand_in() -> &'static Record {
    if left_requested() { &STOPPED } else { &PLAIN }
}
