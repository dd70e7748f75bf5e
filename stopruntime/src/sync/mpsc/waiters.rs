//! Threads that wait for a change of what a lock protects: a condition variable
//! that knows more than one in general can.
//!
//! The numbers stand under the lock, the futex word does not. A thread that waits
//! enters and reads the number of wake-ups under the lock, gives the lock back, and
//! sleeps while that number stays the same. A thread that changes something learns
//! under the lock whether it has to wake one, gives the lock back, counts the
//! wake-up and sends it.
//!
//! Waiters that were woken are told apart from those that sleep, so that changes
//! that come before a woken one runs cost no system call for it. There are never
//! more *woken* than waiters that are awake, and each takes one off when it leaves.
//! So one more wake-up reaches a sleeper, unless there is none. (A thread that has
//! read an older number is awake: its wait ends at once.) A waiter that is stopped
//! takes one off too, and needs to do no more: either no thread slept when that was
//! counted, or the wake-up has reached another.

use crate::runtime::futex::{futex_wake, futex_wake_one};
use crate::sync::wait::Wait;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Under the lock.
#[derive(Default)]
pub(super) struct Waiters {
    entered: usize,
    woken: usize,
}

impl Waiters {
    /// How many there are, those included that were woken and have not looked
    /// since.
    pub(super) fn count(&self) -> usize {
        self.entered
    }

    pub(super) fn enter(&mut self) {
        self.entered += 1;
    }

    pub(super) fn leave(&mut self) {
        self.entered -= 1;
        // mutant: woken-in-vain-woken-again
        self.woken = self.woken.saturating_sub(1);
    }

    /// Whether [`Wakeups::wake_one`] is to be called for a change that is for one of
    /// them.
    #[inline]
    pub(super) fn pick_one(&mut self) -> bool {
        // mutant: message-wakes-a-receiver
        let sleep = self.woken < self.entered;
        self.woken += usize::from(sleep);
        sleep
    }

    /// Whether [`Wakeups::wake_all`] is to be called.
    #[inline]
    pub(super) fn pick_all(&mut self) -> bool {
        self.woken = self.entered;
        self.entered != 0
    }
}

/// Counts wake-ups. Relaxed: the lock orders what they are about, the futex
/// whether there is one.
#[derive(Debug, Default)]
pub(super) struct Wakeups(AtomicU32);

impl Wakeups {
    /// How many there have been. To be read under the lock.
    pub(super) fn counted(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Waits while there have been no more than these.
    pub(super) fn wait_for_more<W: Wait>(
        &self,
        counted: u32,
        deadline: Option<Instant>,
    ) -> Result<(), W::Stop> {
        W::futex_wait(&self.0, counted, deadline)
    }

    #[cold]
    pub(super) fn wake_one(&self) {
        self.0.fetch_add(1, Relaxed);
        futex_wake_one(&self.0);
    }

    #[cold]
    pub(super) fn wake_all(&self) {
        self.0.fetch_add(1, Relaxed);
        futex_wake(&self.0);
    }
}
