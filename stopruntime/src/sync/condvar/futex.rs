//! A condition variable: a counter of notifications that waiters sleep on, as in std's
//! (`std::sys::sync::condvar::futex`), with a way to give up and a count of the waiters.
//!
//! A notification changes the counter first, and then wakes one of the sleepers. A
//! waiter that does not sleep yet finds the counter changed and goes on; so only
//! sleepers need a wake-up. A sleeper that is stopped has consumed none: if it was
//! woken first, its wait returns. So one of the threads that wait when the
//! notification is sent, and are not stopped, has it, and a stopped waiter has
//! nothing to pass on.
//!
//! The waiters are counted so that a notification without waiters costs no
//! system call. A waiter counts itself before it lets go of the mutex: a thread that
//! has changed the condition under that mutex since then sees the count.

use crate::runtime::futex::{futex_wake, futex_wake_one};
use crate::sync::wait::Wait;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Instant;

#[derive(Default)]
pub(super) struct RawCondvar {
    notified: AtomicU32,
    waiting: AtomicU32,
}

impl RawCondvar {
    pub(super) const fn new() -> RawCondvar {
        RawCondvar { notified: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    #[inline]
    pub(super) fn notify_one(&self) {
        if self.has_waiters() {
            self.notify(|notified| {
                futex_wake_one(notified);
            });
        }
    }

    #[inline]
    pub(super) fn notify_all(&self) {
        if self.has_waiters() {
            self.notify(futex_wake);
        }
    }

    /// Pairs with the count in `wait`. `SeqCst`: a thread that notifies without
    /// the mutex also comes before or after a waiter, as far as any thread can tell.
    #[inline]
    fn has_waiters(&self) -> bool {
        self.waiting.load(SeqCst) != 0
    }

    #[cold]
    fn notify(&self, wake: impl FnOnce(&AtomicU32)) {
        // Relaxed: the mutex orders the data; the futex orders the wake-up.
        // mutant: notification-without-waiter
        self.notified.fetch_add(1, Relaxed);
        wake(&self.notified);
    }

    /// Drops the guard of the mutex and waits for a notification; returns whether the time
    /// was over before one came.
    pub(super) fn wait<W: Wait>(
        &self,
        guard: impl Sized,
        deadline: Option<Instant>,
    ) -> Result<bool, W::Stop> {
        // Read under the lock: a thread that changes the condition from now on, and
        // notifies, changes the value that this one waits on.
        // mutant: condvar-counter-read-under-lock
        let before = self.notified.load(Relaxed);
        // mutant: condvar-waiter-counted
        self.waiting.fetch_add(1, SeqCst);
        drop(guard);
        let waited = W::futex_wait(&self.notified, before, deadline);
        self.waiting.fetch_sub(1, Relaxed);
        waited?;
        Ok(self.notified.load(Relaxed) == before
            && deadline.is_some_and(|deadline| Instant::now() >= deadline))
    }
}
