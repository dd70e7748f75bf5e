//! The thread that disconnects stop channels.
//!
//! A request must neither lock nor free memory, for it may be made in a signal
//! handler; disconnecting a channel does both. So a request to a thread that
//! has given out a stop channel counts up a futex word and wakes a thread of
//! the runtime's own, which drops the channel's sender. That thread is started
//! with the first stop channel of the process, blocks every signal and sleeps
//! in the futex while there is no request.
//!
//! One more store-then-load race, of the kind of those in
//! [`record`](crate::record): *thread:* entry in the list, `watched` ← 1, load
//! flag. *requester:* flag ← 1, load `watched`. So the thread disconnects the
//! channel itself, or the helper is told to.
//!
//! A forked child has no such thread, and what it would lock may have been
//! locked by one when the parent forked. It begins anew with a [`Watch`] of its
//! own and leaves the parent's untouched.
//!
//! # Safety
//!
//! The invariant of this module: [`WATCH`] is null or points to a [`Watch`]
//! that is never freed.

#![allow(unsafe_code)]

use crate::futex::{futex_wait, futex_wake};
use crate::record::Record;
use crate::signal;
use core::convert::Infallible;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence};
use crossbeam_channel::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// That of this process.
static WATCH: AtomicPtr<Watch> = AtomicPtr::new(core::ptr::null_mut());

struct Watch {
    /// How often a stop was requested of a watched thread; what the helper
    /// sleeps on.
    requests: AtomicU32,
    list: Mutex<List>,
}

struct List {
    has_helper: bool,
    entries: Vec<Entry>,
}

/// A thread that has given out a channel, which disconnects with the entry.
struct Entry {
    record: Arc<Record>,
    _sender: Sender<Infallible>,
}

/// Tells that a stop was requested of a watched thread. Async-signal-safe.
pub(crate) fn notify() {
    if let Some(watch) = current() {
        // Release, with the helper's Acquire: it sees the request's flag.
        watch.requests.fetch_add(1, Ordering::Release);
        futex_wake(&watch.requests);
    }
}

/// In a forked child. Async-signal-safe.
pub(crate) fn after_fork() {
    WATCH.store(core::ptr::null_mut(), Ordering::Relaxed);
    if let Some(record) = crate::current::record() {
        record.watched.store(false, Ordering::Relaxed);
    }
}

/// Keeps the sender until a stop is requested of the thread or the thread ends.
///
/// # Panics
///
/// If the helper thread cannot be started.
pub(crate) fn add(record: Arc<Record>, sender: Sender<Infallible>) {
    let watch = current().unwrap_or_else(Watch::begin);
    let mut list = watch.list();
    if !list.has_helper {
        watch.start();
        list.has_helper = true;
    }
    let thread = Arc::clone(&record);
    list.entries.push(Entry { record, _sender: sender });
    drop(list);
    thread.watched.store(true, Ordering::Relaxed);
    fence(Ordering::SeqCst);
    if thread.requested() {
        watch.disconnect(|entry| Arc::ptr_eq(&entry.record, &thread));
    }
}

/// The thread ends.
pub(crate) fn forget(record: &Arc<Record>) {
    if let Some(watch) = current().filter(|_| record.watched.load(Ordering::Relaxed)) {
        watch.disconnect(|entry| Arc::ptr_eq(&entry.record, record));
    }
}

fn current() -> Option<&'static Watch> {
    // SAFETY: the module's invariant.
    unsafe { WATCH.load(Ordering::Acquire).as_ref() }
}

impl Watch {
    #[cold]
    fn begin() -> &'static Watch {
        let list = Mutex::new(List { has_helper: false, entries: Vec::new() });
        let ours = Box::into_raw(Box::new(Watch { requests: AtomicU32::new(0), list }));
        let none = core::ptr::null_mut();
        match WATCH.compare_exchange(none, ours, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: made above, and from now on never freed.
            Ok(_) => unsafe { &*ours },
            // SAFETY: made above and never shared; and the module's invariant.
            Err(theirs) => unsafe {
                drop(Box::from_raw(ours));
                &*theirs
            },
        }
    }

    /// Whoever panicked with the lock held has left the list whole.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&'static self) {
        let builder = thread::Builder::new().name("stop-channels".into()).stack_size(64 * 1024);
        let helper = with_signals_blocked(|| builder.spawn(|| self.run()));
        if let Err(error) = helper {
            panic!("stopruntime: no thread to disconnect stop channels: {error}");
        }
    }

    fn run(&self) {
        loop {
            let seen = self.requests.load(Ordering::Acquire);
            self.disconnect(|entry| entry.record.requested());
            futex_wait(&self.requests, seen, None);
        }
    }

    fn disconnect(&self, which: impl Fn(&Entry) -> bool) {
        let found: Vec<Entry> = self.list().entries.extract_if(.., |entry| which(entry)).collect();
        // Outside of the lock: this wakes who selects.
        drop(found);
    }
}

/// A thread inherits the mask of the one that starts it: no handler of the
/// program's runs on the helper.
fn with_signals_blocked<R>(start: impl FnOnce() -> R) -> R {
    // SAFETY: local sets, the one filled in before it is used, the other by
    // the call.
    let before = unsafe {
        let mut all: libc::sigset_t = core::mem::zeroed();
        let mut before: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let result = start();
    signal::restore_mask(&before);
    result
}
