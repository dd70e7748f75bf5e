//! This thread's record: found by one thread-local read, readable from the
//! signal handler.
//!
//! A thread that has made no marked call yet, and every thread on
//! [`Backend::Ppoll`](crate::Backend::Ppoll), has its line point to
//! [`DIVERT`], whose flag is always set: its windows lead to the cold path
//! without a test of their own on the hot one.
//!
//! Locks that a thread meets here: the allocator's, when it makes its record
//! (a thread of [`thread::spawn`](crate::thread::spawn) is given one), and
//! libc's `calloc` if the key is not among the first 32. All else is done by the
//! installation. In a library that was opened later the first touch of a
//! thread-local allocates as well, and takes a lock of the loader's: so does any
//! Rust code in there, and no thread-local that such a library may have is without.
//!
//! # Safety
//!
//! The invariant of this module: `CURRENT.own` is null or points to a record of
//! which this thread holds one count until [`give_back`];
//! `CURRENT.record` is that or null; `CURRENT.line` points to the line of
//! `CURRENT.record` or of a static. All are only ever touched by their own
//! thread, the handler included, and have no destructor.

#![allow(unsafe_code)]

use crate::runtime::install;
use crate::runtime::installed;
use crate::runtime::record::{Record, RecordRef};
use crate::runtime::scopes::{LOOK, entries, request};
use crate::runtime::signal;
use crate::window::{Line, rseq};
use core::cell::Cell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use std::io;

/// The line of threads that cannot use a window.
static DIVERT: Line =
    Line { flag: AtomicU32::new(LOOK), marker: AtomicU32::new(0), rseq_cs: rseq::nowhere() };

/// The lines and records of threads that have none of their own now: while the
/// runtime makes one, and after it has given it back. No request reaches them.
static PLAIN: Record = Record::standing_in(false);
/// As [`PLAIN`], of threads that had been requested to stop.
static STOPPED: Record = Record::standing_in(true);

/// The key whose value is a thread's record, or [`NO_KEY`].
static KEY: AtomicU32 = AtomicU32::new(NO_KEY);
const NO_KEY: libc::pthread_key_t = libc::pthread_key_t::MAX;

/// The rounds of key destructors that there are at least: what POSIX asks for,
/// and what glibc and musl have. `pthread_key_create(3)`.
// mutant: thread-record-in-every-round
const ROUNDS: u32 = 4;

struct Current {
    line: Cell<*const Line>,
    /// The thread's record while it is in use: from its first marked call on.
    record: Cell<*const Record>,
    /// The same, whether in use or not.
    own: Cell<*const Record>,
    /// The record this thread had had been requested to stop, for code that runs
    /// after it.
    left_requested: Cell<bool>,
    /// How often the destructor of the key has run.
    rounds: Cell<u32>,
    /// [`PLAIN`] or [`STOPPED`] stands in for a record.
    stands_in: Cell<bool>,
}

thread_local! {
    static CURRENT: Current = const {
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
pub(crate) fn record<'thread>() -> Option<&'thread Record> {
    // SAFETY: the module's invariant: null or alive until the thread ends.
    CURRENT.with(|current| unsafe { current.record.get().as_ref() })
}

/// This thread's record, if it has one.
pub(crate) fn own<'thread>() -> Option<&'thread Record> {
    // SAFETY: as above.
    CURRENT.with(|current| unsafe { current.own.get().as_ref() })
}

/// This thread's record, or what stands in for one.
pub(crate) fn own_or_standing_in<'thread>() -> &'thread Record {
    own().unwrap_or_else(stand_in)
}

/// This thread's record, whether in use or not, made if there is none; none where
/// something stands in for it.
#[inline]
pub(crate) fn own_or_made<'thread>() -> Option<&'thread Record> {
    own().or_else(made)
}

#[cold]
fn made<'thread>() -> Option<&'thread Record> {
    registered();
    own()
}

/// As [`own`], for the signal handler: a thread that has never touched
/// `CURRENT` may be in the middle of an allocation, and in a library that was
/// opened later the first touch allocates. `pthread_getspecific` does not.
pub(crate) fn record_by_key<'thread>() -> Option<&'thread Record> {
    let key = KEY.load(Ordering::Acquire);
    if key == NO_KEY {
        return None;
    }
    // SAFETY: the key exists. Its value is null, or of which this thread holds a
    // count: a record, from before its first request can be made until after
    // its last signal.
    unsafe { libc::pthread_getspecific(key).cast::<Record>().as_ref() }
}

/// This thread's record, made and taken into use with the first call.
pub(crate) fn registered<'thread>() -> &'thread Record {
    match record() {
        Some(record) => record,
        None => begin(),
    }
}

/// A strong reference to this thread's record.
pub(crate) fn shared() -> RecordRef {
    registered();
    match own() {
        // SAFETY: this thread has a count of it, from `adopt` on.
        Some(record) => unsafe { RecordRef::of(record) },
        // One stands in for it, which nobody requests.
        None => RecordRef::take(left_requested(), []),
    }
}

fn left_requested() -> bool {
    CURRENT.with(|current| current.left_requested.get())
}

/// Gives the calling thread, which begins, this record. It takes it into use
/// with its first marked call, so that a signal mask that it sets before does not
/// matter; on [`Backend::Ppoll`](crate::Backend::Ppoll), which blocks the signal,
/// at once.
pub(crate) fn start(record: RecordRef) {
    // An allocator may have made a marked call before.
    give_back();
    adopt(record);
    own().expect("adopted").begin_under();
    if installed::backend() == Some(crate::Backend::Ppoll) {
        begin();
    }
}

fn adopt(record: RecordRef) {
    let pointer = record.into_raw();
    // SAFETY: the key exists; the value is the count that `give_back` returns.
    let stored = plainly(|| unsafe { libc::pthread_setspecific(key(), pointer.cast()) });
    if stored != 0 {
        // SAFETY: as it was; nothing else has taken it. Joins do not wait for it.
        unsafe { RecordRef::from_raw(pointer) }.end();
        panic!("stopruntime: no memory to register this thread");
    }
    CURRENT.with(|current| current.own.set(pointer));
}

/// Takes this thread's record into use, or says what stands in for it.
#[cold]
fn begin<'thread>() -> &'thread Record {
    if CURRENT.with(|current| current.stands_in.get()) {
        let record = stand_in();
        CURRENT.with(|current| current.line.set(&raw const record.line));
        return record;
    }
    let (record, masked) = plainly(|| {
        let backend = install::ensure();
        if own().is_none() {
            adopt(RecordRef::take(left_requested(), []));
            entries::take_over(own().expect("adopted"));
        }
        let record = own().expect("adopted");
        let masked = backend == crate::Backend::Ppoll;
        // Not to be had if another library has registered this thread: then the
        // handler does the work alone.
        let rseq_cs = (backend == crate::Backend::Rseq).then(rseq::rseq_cs).and_then(Result::ok);
        // The line first: a handler that finds the record may look at it.
        record.begin(rseq_cs, masked);
        (record, masked)
    });
    CURRENT.with(|current| {
        current.record.set(record);
        if !masked {
            current.line.set(&raw const record.line);
        }
    });
    // mutant: who-registers-signal-unblocked
    signal::set_mask(if masked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK });
    record
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
fn stand_in() -> &'static Record {
    if left_requested() { &STOPPED } else { &PLAIN }
}

fn key() -> libc::pthread_key_t {
    KEY.load(Ordering::Acquire)
}

/// Makes the key. Part of the installation, before the first record; no thread
/// takes a lock of libc's for it later.
///
/// A key destructor runs after those of all thread-locals (glibc), and the last
/// round of them after those of all other keys, so that marked calls in each
/// are still stop-checked. `pthread_key_create(3)`.
pub(crate) fn prepare() -> io::Result<()> {
    if key() != NO_KEY {
        return Ok(());
    }
    // First: there is no key without it, in a child forked meanwhile either.
    watch_forks();
    let mut key = 0;
    // SAFETY: a valid place for the key and a destructor of this type.
    match unsafe { libc::pthread_key_create(&raw mut key, Some(on_thread_end)) } {
        0 => KEY.store(key, Ordering::Release),
        errno => return Err(io::Error::from_raw_os_error(errno)),
    }
    Ok(())
}

/// In each round the thread's record is put out of use, in case it is the last;
/// a marked call in a later destructor takes it into use again.
unsafe extern "C" fn on_thread_end(value: *mut c_void) {
    // Still this thread's, for the handler, and so that there is another round.
    // SAFETY: the key exists and has had this value before: no memory is taken.
    unsafe { libc::pthread_setspecific(key(), value) };
    let rounds = CURRENT.with(|current| current.rounds.replace(current.rounds.get() + 1)) + 1;
    // Scopes that `pthread_exit(3)` has jumped out of lie on no stack any more.
    entries::forget_all();
    // SAFETY: the value `adopt` stored on this thread, which has a count of it.
    let record = unsafe { &*value.cast_const().cast::<Record>() };
    record.clear_visible();
    put_out_of_use();
    let holders = record.own.holders();
    let is_last = rounds >= ROUNDS;
    CURRENT.with(|current| current.stands_in.set(is_last));
    // If nobody else has a hold on it, nobody knows it from another one.
    if is_last || holders == 1 {
        give_back();
    }
}

fn put_out_of_use() {
    if let Some(record) = record() {
        // mutant: record-not-used-after-threads
        CURRENT.with(|current| current.line.set(&raw const DIVERT));
        // With the value of the key still there: it drains a last signal, and
        // the handler has to know that as ours.
        // mutant: record-until-then-for-handler
        record.rest();
        CURRENT.with(|current| current.record.set(core::ptr::null()));
    }
}

/// Gives back the record that this thread has, if it has one.
fn give_back() {
    put_out_of_use();
    let pointer = CURRENT.with(|current| current.own.replace(core::ptr::null()));
    if pointer.is_null() {
        return;
    }
    // SAFETY: the key exists and has a value: no memory is taken.
    unsafe { libc::pthread_setspecific(key(), core::ptr::null()) };
    // SAFETY: the count that `adopt` took.
    let record = unsafe { RecordRef::from_raw(pointer) };
    // mutant: request-seen-very-end-thread
    CURRENT.with(|current| current.left_requested.set(entries::is_stopped(&record.own)));
    record.end();
    #[cfg(feature = "crossbeam-channel")]
    crate::crossbeam::helper::forget(&record);
    plainly(|| drop(record));
}

/// Has forked children put themselves in order.
fn watch_forks() {
    // SAFETY: three handlers, of which the null ones are not called. It fails
    // for want of memory only; a forked child then signals no thread.
    unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
}

unsafe extern "C" fn after_fork() {
    crate::runtime::process::after_fork();
    #[cfg(feature = "crossbeam-channel")]
    crate::crossbeam::helper::after_fork();
    let own = own();
    request::after_fork(own);
    if let Some(record) = own {
        record.after_fork(self::record().is_some());
    }
}
