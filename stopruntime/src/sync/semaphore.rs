//! A counting semaphore.
//!
//! `permits` is the futex word; `waiting` saves the system call when nobody
//! waits. A thread announces itself before it looks at the permits for the last
//! time, and a release adds the permit before it looks for waiters (both
//! `SeqCst`), so one of them sees the other.
//!
//! A woken waiter tries for a permit before anything else. If it does not get
//! one, another thread has, and the wake-up was acted upon: a stop loses none.

use super::wait::{OrStop, Plain, Wait, never};
use crate::futex::futex_wake_one;
use crate::stop::Stopped;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

/// A number of permits, to be acquired and released by any thread.
///
/// ```
/// use stopruntime::sync::Semaphore;
///
/// let places = Semaphore::new(2);
/// let first = places.acquire();
/// let second = places.acquire_or_stop().unwrap();
/// assert!(places.try_acquire().is_none());
/// drop(first);
/// assert!(places.try_acquire().is_some());
/// # drop(second);
/// ```
#[derive(Debug)]
pub struct Semaphore {
    permits: AtomicU32,
    waiting: AtomicU32,
}

/// A permit; dropped, it is released.
#[derive(Debug)]
#[must_use = "the permit is released as soon as this is dropped"]
pub struct SemaphoreGuard<'semaphore>(&'semaphore Semaphore);

impl Semaphore {
    /// A semaphore with this many permits.
    #[must_use]
    pub const fn new(permits: u32) -> Semaphore {
        Semaphore { permits: AtomicU32::new(permits), waiting: AtomicU32::new(0) }
    }

    /// The permits that are free now.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.permits.load(Relaxed)
    }

    fn take(&self) -> bool {
        let taken = self.permits.fetch_update(SeqCst, SeqCst, |permits| permits.checked_sub(1));
        taken.is_ok()
    }

    fn acquire_as<W: Wait>(&self, deadline: Option<Instant>) -> Result<bool, W::Stop> {
        W::check()?;
        if self.take() {
            return Ok(true);
        }
        self.waiting.fetch_add(1, SeqCst);
        let outcome = loop {
            if self.take() {
                break Ok(true);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break Ok(false);
            }
            if let Err(stop) = W::wait(&self.permits, 0, deadline) {
                break Err(stop);
            }
        };
        self.waiting.fetch_sub(1, SeqCst);
        outcome
    }

    /// Waits for a permit.
    pub fn acquire(&self) -> SemaphoreGuard<'_> {
        never(self.acquire_as::<Plain>(None));
        SemaphoreGuard(self)
    }

    /// [`Semaphore::acquire`], stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no permit was taken.
    pub fn acquire_or_stop(&self) -> Result<SemaphoreGuard<'_>, Stopped> {
        self.acquire_as::<OrStop>(None)?;
        Ok(SemaphoreGuard(self))
    }

    /// Waits for a permit, at most this long.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<SemaphoreGuard<'_>> {
        let deadline = Instant::now().checked_add(timeout);
        never(self.acquire_as::<Plain>(deadline)).then(|| SemaphoreGuard(self))
    }

    /// [`Semaphore::acquire_timeout`], stop-checked.
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire_or_stop`].
    pub fn acquire_timeout_or_stop(
        &self,
        timeout: Duration,
    ) -> Result<Option<SemaphoreGuard<'_>>, Stopped> {
        let deadline = Instant::now().checked_add(timeout);
        Ok(self.acquire_as::<OrStop>(deadline)?.then(|| SemaphoreGuard(self)))
    }

    /// Takes a permit if one is free.
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.take().then(|| SemaphoreGuard(self))
    }

    /// Adds a permit.
    ///
    /// # Panics
    ///
    /// If there are `u32::MAX` of them already.
    #[track_caller]
    pub fn release(&self) {
        let before = self.permits.fetch_update(SeqCst, SeqCst, |permits| permits.checked_add(1));
        assert!(before.is_ok(), "a semaphore holds at most u32::MAX permits");
        if self.waiting.load(SeqCst) != 0 {
            futex_wake_one(&self.permits);
        }
    }
}

impl SemaphoreGuard<'_> {
    /// Keeps the permit for good.
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}
