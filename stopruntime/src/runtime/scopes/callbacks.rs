//! The thread that does for a stopped scope what a requester must not do: it runs
//! callbacks, wakes tasks, disconnects channels.
//!
//! A request must neither lock nor free memory, for it may be made in a signal
//! handler. So a request to a scope that is watched counts up a futex word and wakes a
//! thread of the runtime's own. That thread is started with the first callback of the
//! process, blocks every signal and sleeps in the futex until there is a request, or
//! until the earliest deadline of the scopes that are watched.
//!
//! One more store-then-load race, of the kind of those in
//! [`record`](crate::runtime::record): *watcher:* entry in the list, `WATCHED` of the
//! scope and of all above it, look at the scope. *requester:* the scope's state, look at
//! `WATCHED`. So the watcher does it itself, or the thread is told to.
//!
//! The lock is never held over code of others: neither over a callback, nor a waker,
//! nor a destructor.
//!
//! A forked child has no such thread, and the lock may have been another thread's when
//! the parent forked. The child begins anew ([`process`](crate::runtime::process)); what
//! the parent's scopes were to run is not run there.

#![allow(unsafe_code)]

use super::LOOK;
use super::cell::{ScopeRef, WATCHED};
use super::clock::{self, NEVER};
use super::look::{earliest_of, is_stopped};
use super::notified::{NOTIFIED, notify};
use crate::runtime::futex::{futex_wait, futex_wait_until, futex_wake};
use crate::runtime::process::{PerProcess, Place};
use crate::runtime::signal;
use core::mem;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};
use core::time::Duration;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, ThreadId};

// SAFETY: its only user.
static CALLBACKS: PerProcess<Callbacks> = unsafe { PerProcess::new(Place::Callbacks) };

#[derive(Default)]
struct Callbacks {
    /// How many callbacks have returned; what sleeps that waits for one.
    returned: AtomicU32,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    thread: Option<ThreadId>,
    entries: Vec<Entry>,
    /// Of scopes that are stopped.
    due: VecDeque<Entry>,
    running: Option<Number>,
    /// Scopes whose threads are told when they are to look.
    hints: Vec<Hint>,
}

/// The name of an entry, which no other one has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(usize);

struct Entry {
    number: Number,
    scope: ScopeRef,
    what: What,
    /// When it is due that is done later; [`NEVER`] before the stop.
    at: u64,
}

/// What is done when the scope is stopped.
pub(crate) enum What {
    Run(Box<dyn FnOnce() + Send>),
    /// As `Run`, this long after the stop.
    RunLater(Duration, Box<dyn FnOnce() + Send>),
    Wake(Waker),
    /// Is dropped, also when nothing can stop the scope any more, or its thread ends.
    #[cfg_attr(not(feature = "crossbeam-channel"), allow(dead_code, reason = "none"))]
    Drop(Box<dyn Send>),
}

impl What {
    fn happens(self) {
        match self {
            // The panic has been reported, and the next one is to run.
            What::Run(run) | What::RunLater(_, run) => drop(catch_unwind(AssertUnwindSafe(run))),
            What::Wake(waker) => waker.wake(),
            What::Drop(value) => drop(value),
        }
    }
}

/// A thread, by its own scope, and how it is told that its flag is up.
struct Hint {
    thread: ScopeRef,
    tell: Box<dyn Fn() + Send>,
}

impl Hint {
    fn is_up(&self) -> bool {
        let record = self.thread.record();
        record.is_some_and(|record| record.line.flag.load(Ordering::SeqCst) == LOOK)
    }
}

/// Does this when the scope is stopped: at once, on this thread, if it is already. The
/// name by which it can be withdrawn.
///
/// # Panics
///
/// If the thread for the callbacks cannot be started.
pub(crate) fn add(scope: &ScopeRef, what: What) -> Number {
    static COUNTER: AtomicUsize = AtomicUsize::new(0);
    let number = Number(COUNTER.fetch_add(1, Ordering::Relaxed));
    let is_later = matches!(what, What::RunLater(..));
    if !is_later && is_stopped(scope) {
        what.happens();
        return number;
    }
    let callbacks = CALLBACKS.get_or_make();
    let mut list = callbacks.list_with_thread();
    let gone = list.take_gone();
    list.entries.push(Entry { number, scope: scope.clone(), what, at: NEVER });
    drop(list);
    drop(gone);
    // mutant: watched-by-those-above
    scope.set_upwards(WATCHED);
    fence(Ordering::SeqCst);
    // mutant: stop-channel-made-meanwhile
    if is_later && is_stopped(scope) {
        notify();
    } else if is_stopped(scope) {
        if let Some(entry) = callbacks.list().take(number) {
            entry.what.happens();
        }
    } else if earliest_of(scope) != NEVER {
        // It is to wake up by then.
        notify();
    }
    number
}

/// It will not be done any more: if it is being done, this waits until it has been,
/// except in itself.
pub(crate) fn withdraw(number: Number) {
    let Some(callbacks) = CALLBACKS.get() else { return };
    loop {
        let mut list = callbacks.list();
        if let Some(entry) = list.take(number) {
            drop(list);
            // Outside of the lock: it may have a destructor.
            return drop(entry);
        }
        // mutant: withdrawal-waits-for-callback
        if list.running != Some(number) || list.thread == Some(thread::current().id()) {
            return;
        }
        let returned = callbacks.returned.load(Ordering::SeqCst);
        drop(list);
        futex_wait(&callbacks.returned, returned, None);
    }
}

/// Tells a thread, by its own scope, whenever its flag is up: to be called again and
/// again, also when it is not.
#[cfg(feature = "crossbeam-channel")]
pub(crate) fn hint(thread: ScopeRef, tell: Box<dyn Fn() + Send>) {
    CALLBACKS.get_or_make().list_with_thread().hints.push(Hint { thread, tell });
}

/// The process's own list, by which a forked child is told from its parent.
#[cfg(feature = "crossbeam-channel")]
pub(crate) fn identity() -> usize {
    core::ptr::from_ref(CALLBACKS.get_or_make()) as usize
}

/// Forgets the scope of a thread that ends.
#[cfg(feature = "crossbeam-channel")]
pub(crate) fn forget(thread: &ScopeRef) {
    let Some(callbacks) = CALLBACKS.get() else { return };
    let mut list = callbacks.list();
    let hints: Vec<_> = list.hints.extract_if(.., |hint| hint.thread == *thread).collect();
    let is_of = |entry: &mut Entry| entry.is_dropped_with_its_scope() && entry.scope == *thread;
    // mutant: end-thread-disconnects-stop-channels
    let entries: Vec<_> = list.entries.extract_if(.., is_of).collect();
    drop(list);
    drop((hints, entries));
}

impl Entry {
    /// Whether it is to happen now. For what happens later, the time begins to run.
    fn is_due(&mut self) -> bool {
        if !is_stopped(&self.scope) {
            return false;
        }
        let What::RunLater(limit, _) = self.what else { return true };
        if self.at == NEVER {
            // In 500 years at the latest, so that it is known to have begun.
            self.at = clock::after(limit).min(NEVER - 1);
        }
        self.at <= clock::now()
    }

    /// When to look at it again.
    fn next(&self) -> u64 {
        if self.at == NEVER { earliest_of(&self.scope) } else { self.at }
    }

    fn is_dropped_with_its_scope(&self) -> bool {
        matches!(self.what, What::Drop(_))
    }
}

impl List {
    fn take(&mut self, number: Number) -> Option<Entry> {
        let is_it = |entry: &Entry| entry.number == number;
        if let Some(at) = self.entries.iter().position(is_it) {
            return Some(self.entries.swap_remove(at));
        }
        let at = self.due.iter().position(is_it)?;
        self.due.remove(at)
    }

    /// What is to be dropped because nothing has a hold on its scope any more. A look at
    /// all of them, as often as their number has doubled.
    fn take_gone(&mut self) -> Vec<Entry> {
        if self.entries.len() < self.entries.capacity() {
            return Vec::new();
        }
        let is_gone =
            |entry: &mut Entry| entry.is_dropped_with_its_scope() && entry.scope.holders() == 1;
        self.entries.extract_if(.., is_gone).collect()
    }
}

impl Callbacks {
    /// Whatever panicked with the lock held has left the list whole.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list_with_thread(&'static self) -> MutexGuard<'static, List> {
        // There from before the first request that may tell of it.
        NOTIFIED.get_or_make();
        let mut list = self.list();
        if list.thread.is_none() {
            let builder = thread::Builder::new().name("stop-callbacks".into());
            match signal::with_all_blocked(|| builder.spawn(|| self.run())) {
                Ok(handle) => list.thread = Some(handle.thread().id()),
                Err(error) => {
                    drop(list);
                    panic!("stopruntime: no thread to run callbacks: {error}");
                }
            }
        }
        list
    }

    fn run(&self) {
        let notified = NOTIFIED.get_or_make();
        loop {
            let seen = notified.load(Ordering::Acquire);
            let earliest = self.find_due();
            while self.run_next() {}
            if earliest == NEVER {
                futex_wait(notified, seen, None);
            } else {
                futex_wait_until(notified, seen, earliest);
            }
        }
    }

    /// Finds what is due, and tells the threads that are to look. The earliest deadline
    /// of the others.
    fn find_due(&self) -> u64 {
        let mut list = self.list();
        let List { entries, due, hints, .. } = &mut *list;
        due.extend(entries.extract_if(.., Entry::is_due));
        for hint in hints.iter().filter(|hint| hint.is_up()) {
            // Sends a message without waiting: no code of others'.
            (hint.tell)();
        }
        entries.iter().map(Entry::next).min().unwrap_or(NEVER)
    }

    fn run_next(&self) -> bool {
        let mut list = self.list();
        let Some(Entry { number, what, scope, .. }) = list.due.pop_front() else { return false };
        list.running = Some(number);
        drop(list);
        what.happens();
        drop(scope);
        let finished = mem::take(&mut self.list().running);
        debug_assert!(finished == Some(number));
        self.returned.fetch_add(1, Ordering::SeqCst);
        futex_wake(&self.returned);
        true
    }
}
