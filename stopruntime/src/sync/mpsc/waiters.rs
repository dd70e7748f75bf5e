//! Those who wait for a change of what a lock protects: what a condition
//! variable is for, without what it cannot know.
//!
//! The counts stand under the lock, the futex word does not. Who waits enters
//! and reads the turn under the lock, gives that back, and waits while the turn
//! is the same; who changes something learns under the lock whether to wake
//! somebody, and gives it back before it counts the turn and does so.
//!
//! Whoever was woken is told apart from those who sleep, so that the changes
//! that come before it runs make no system calls for it. There are never more
//! *woken* than waiters that are awake, which take one off each when they leave:
//! to wake one more reaches somebody, unless nobody sleeps. (Who has read an
//! older turn is awake: its wait ends at once.) So one that is stopped takes one
//! off as well, and that is all: either nobody slept when that was counted, or
//! the wake-up has reached another.

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
        self.woken = self.woken.saturating_sub(1);
    }

    /// Whether [`Turn::wake_one`] is to be called for a change that is for one of
    /// them.
    #[inline]
    pub(super) fn pick_one(&mut self) -> bool {
        let sleep = self.woken < self.entered;
        self.woken += usize::from(sleep);
        sleep
    }

    /// Whether [`Turn::wake_all`] is to be called.
    #[inline]
    pub(super) fn pick_all(&mut self) -> bool {
        self.woken = self.entered;
        self.entered != 0
    }
}

/// Counts wake-ups. Relaxed: the lock orders what they are about, the futex
/// whether there is one.
#[derive(Debug, Default)]
pub(super) struct Turn(AtomicU32);

impl Turn {
    /// To be read under the lock.
    pub(super) fn now(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Waits while it is this turn.
    pub(super) fn wait<W: Wait>(
        &self,
        turn: u32,
        deadline: Option<Instant>,
    ) -> Result<(), W::Stop> {
        W::wait(&self.0, turn, deadline)
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
