//! The kernel's side of futex(2): waiters in the order of their coming.
//!
//! Every change of the queue is one step together with an access to the word
//! that it is about, so loom knows which of them conflict and tries all their
//! orders: as the kernel's bucket lock does, that makes the comparison and the
//! queueing one step, and lets no wake-up pass between them.
//!
//! A waiter leaves the queue once, and one thing takes it out: a wake-up, a
//! request or the clock. So a wait that a request has ended has consumed no
//! wake-up, and one that was woken first is not stopped: the promise of
//! `call::futex_wait_or_stop`.

use crate::atomic::AtomicU32;
use crate::scope::Record;
use crate::signal;
use crate::time::{Duration, Instant};
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread::{self, Thread};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// How often a lock looks again before it sleeps: enough to take it there.
pub(crate) const SPINS: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Woken, or the word had another value.
    Woken,
    Stopped,
    TimedOut,
}

struct Waiter {
    word: AtomicU32,
    thread: Thread,
    deadline: Option<Instant>,
    stop: Option<Arc<Record>>,
    end: Cell<Option<End>>,
}

thread_local! {
    // loom's threads are all on the thread of their test.
    static QUEUE: RefCell<Vec<Rc<Waiter>>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn clear() {
    QUEUE.take();
}

/// The first waiter that fits.
fn find(fits: impl Fn(&Waiter) -> bool) -> Option<Rc<Waiter>> {
    QUEUE.with_borrow(|queue| queue.iter().find(|waiter| fits(waiter)).cloned())
}

impl Waiter {
    /// Takes it out, if no thread has. To be called with its word just touched.
    fn leave(&self, end: End) {
        let at = QUEUE.with_borrow(|queue| {
            queue.iter().position(|other| core::ptr::eq(&raw const **other, self))
        });
        if let Some(at) = at {
            QUEUE.with_borrow_mut(|queue| queue.remove(at));
            self.end.set(Some(end));
            self.thread.unpark();
        }
    }
}

/// Waits while the word has this value.
pub(crate) fn wait(
    word: &AtomicU32,
    expected: u32,
    deadline: Option<Instant>,
    stop: Option<&Arc<Record>>,
) -> End {
    signal::forget_looks();
    let requested = || stop.is_some_and(|stop| stop.requested());
    if word.touch(Relaxed) != expected {
        return if requested() { End::Stopped } else { End::Woken };
    }
    let waiter = Rc::new(Waiter {
        word: word.clone(),
        thread: thread::current(),
        deadline,
        stop: stop.cloned(),
        end: Cell::new(None),
    });
    QUEUE.with_borrow_mut(|queue| queue.push(Rc::clone(&waiter)));
    // A request or a deadline that came earlier found no waiter to take out.
    if requested() {
        word.touch(Relaxed);
        waiter.leave(End::Stopped);
    }
    if deadline.is_some_and(Instant::is_reached) {
        word.touch(Relaxed);
        waiter.leave(End::TimedOut);
    }
    loop {
        match waiter.end.get() {
            Some(end) => return end,
            None => thread::park(),
        }
    }
}

/// How many were woken.
fn wake(word: &AtomicU32, most: usize) -> usize {
    if std::thread::panicking() {
        return 0;
    }
    word.touch(Relaxed);
    let mut woken = 0;
    while woken < most {
        let Some(waiter) = find(|waiter| waiter.word.is(word)) else { break };
        waiter.leave(End::Woken);
        woken += 1;
    }
    woken
}

/// A request has come: its thread leaves the wait that it can be stopped in.
pub(crate) fn stop(record: &Arc<Record>) {
    let theirs =
        |waiter: &Waiter| waiter.stop.as_ref().is_some_and(|stop| Arc::ptr_eq(stop, record));
    if let Some(waiter) = find(theirs) {
        waiter.word.touch(Relaxed);
        waiter.leave(End::Stopped);
    }
}

/// The clock runs: each waiter whose deadline has passed leaves.
pub(crate) fn expire() {
    while let Some(waiter) = find(|waiter| waiter.deadline.is_some()) {
        waiter.word.touch(Relaxed);
        waiter.leave(End::TimedOut);
    }
}

/// A signal that is no request ends the thread's wait: it returns early.
pub(crate) fn interrupt(thread: &Thread) {
    if let Some(waiter) = find(|waiter| waiter.thread.id() == thread.id()) {
        waiter.word.touch(Relaxed);
        waiter.leave(End::Woken);
    }
}

/// `crate::futex::futex_wait`.
pub fn futex_wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    wait(word, expected, deadline, None);
}

/// `crate::futex::futex_wake`.
pub(crate) fn futex_wake(word: &AtomicU32) {
    wake(word, usize::MAX);
}

/// `crate::futex::futex_wake_one`.
pub(crate) fn futex_wake_one(word: &AtomicU32) -> bool {
    wake(word, 1) > 0
}
