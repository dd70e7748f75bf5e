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
//! [`record`](crate::runtime::record): *thread:* entry in the list, `watched` ← 1, load
//! flag. *requester:* flag ← 1, load `watched`. So the thread disconnects the
//! channel itself, or the helper is told to.
//!
//! A forked child has no such thread, and what it would lock may have been
//! locked by one when the parent forked. It begins anew with a [`Watch`] of its
//! own and leaves the parent's untouched ([`process`](crate::runtime::process)).
//!
//! # Safety
//!
//! The invariant of this module: sets of signals are local, and filled in before
//! they are used.

#![allow(unsafe_code)]

use crate::runtime::futex::futex_wait;
use crate::runtime::process::{PerProcess, Place};
use crate::runtime::record::RecordRef;
use crate::runtime::scopes::cell::WATCHED;
use crate::runtime::scopes::look;
use crate::runtime::scopes::request::NOTIFIED;
use crate::runtime::signal;
use core::convert::Infallible;
use core::sync::atomic::{Ordering, fence};
use crossbeam_channel::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

// SAFETY: its only user.
static WATCH: PerProcess<Watch> = unsafe { PerProcess::new(Place::Channels) };

#[derive(Default)]
struct Watch {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    has_helper: bool,
    entries: Vec<Entry>,
}

/// A thread that has given out a channel, which disconnects with the entry.
struct Entry {
    record: RecordRef,
    _sender: Sender<Infallible>,
}

/// Keeps the sender until a stop is requested of the thread or the thread ends.
///
/// # Panics
///
/// If the helper thread cannot be started.
pub(crate) fn add(record: RecordRef, sender: Sender<Infallible>) {
    // There from before the first request that may tell of it.
    NOTIFIED.get_or_make();
    let watch = WATCH.get_or_make();
    let mut list = watch.list();
    if !list.has_helper {
        watch.start();
        list.has_helper = true;
    }
    let thread = record.clone();
    list.entries.push(Entry { record, _sender: sender });
    drop(list);
    thread.watched.store(true, Ordering::Relaxed);
    thread.own.set_upwards(WATCHED);
    fence(Ordering::SeqCst);
    // mutant: also-one-just-being-made
    if look::is_stopped(&thread.own) {
        watch.disconnect(|entry| entry.record == thread);
    }
}

/// The thread ends.
pub(crate) fn forget(record: &RecordRef) {
    if let Some(watch) = WATCH.get().filter(|_| record.watched.load(Ordering::Relaxed)) {
        // mutant: end-thread-disconnects-stop-channels
        watch.disconnect(|entry| entry.record == *record);
    }
}

impl Watch {
    /// Whoever panicked with the lock held has left the list whole.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&'static self) {
        let builder = thread::Builder::new().name("stop-channels".into()).stack_size(64 * 1024);
        let helper = signal::with_all_blocked(|| builder.spawn(|| self.run()));
        if let Err(error) = helper {
            panic!("stopruntime: no thread to disconnect stop channels: {error}");
        }
    }

    fn run(&self) {
        let notified = NOTIFIED.get_or_make();
        loop {
            let seen = notified.load(Ordering::Acquire);
            self.disconnect(|entry| look::is_stopped(&entry.record.own));
            futex_wait(notified, seen, None);
        }
    }

    fn disconnect(&self, which: impl Fn(&Entry) -> bool) {
        let found: Vec<Entry> = self.list().entries.extract_if(.., |entry| which(entry)).collect();
        // Outside of the lock: this wakes who selects.
        drop(found);
    }
}
