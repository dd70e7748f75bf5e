//! A counting semaphore.
//!
//! | word | meaning |
//! |---|---|
//! | `permits` | those that are free; a thread that wants one sleeps on it |
//! | `waiting` | the threads that are about to sleep or asleep: without any, a release makes no system call |
//! | `wanting_more` | those of them that want more than one permit |
//! | `released` | counts the releases while there are such; they sleep on it |
//!
//! A thread announces itself before it looks at the permits for the last time,
//! and a release adds the permits before it looks for waiters (all `SeqCst`), so
//! one of them sees the other.
//!
//! A woken thread tries before anything else. If it wants one permit and does not get
//! it, another thread has it, and the wake-up was not wasted: a stop loses none. For
//! a thread that wants more, there may be permits, and not enough: so those sleep
//! apart, where they take no wake-up from the others, and they all look at each
//! release.

use super::wait::{OrStop, Plain, Wait, never};
use crate::runtime::futex::{futex_wake, futex_wake_one};
use crate::scope::Stopped;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

/// Counts permits, which any thread may acquire and release.
///
/// Unfair: an arriving thread may take a free permit ahead of waiting ones, and a
/// steady stream of single acquisitions can starve `acquire_many`.
///
/// # Examples
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
/// drop(second);
/// assert!(places.try_acquire_many(2).is_some());
/// ```
#[derive(Debug)]
pub struct Semaphore {
    permits: AtomicU32,
    waiting: AtomicU32,
    wanting_more: AtomicU32,
    released: AtomicU32,
}

/// Holds permits, and releases them when it is dropped.
#[derive(Debug)]
#[must_use = "the permits are released as soon as this is dropped"]
pub struct SemaphoreGuard<'semaphore> {
    semaphore: &'semaphore Semaphore,
    permits: u32,
}

impl Semaphore {
    /// Creates a semaphore with this many permits.
    #[must_use]
    pub const fn new(permits: u32) -> Semaphore {
        Semaphore {
            permits: AtomicU32::new(permits),
            waiting: AtomicU32::new(0),
            wanting_more: AtomicU32::new(0),
            released: AtomicU32::new(0),
        }
    }

    /// Returns the number of permits that are free now.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.permits.load(Relaxed)
    }

    #[inline]
    fn take(&self, permits: u32) -> bool {
        let taken = self.permits.fetch_update(SeqCst, SeqCst, |free| free.checked_sub(permits));
        taken.is_ok()
    }

    #[inline]
    fn acquire_as<W: Wait>(
        &self,
        permits: u32,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Result<Option<SemaphoreGuard<'_>>, W::Stop> {
        W::check()?;
        let taken = self.take(permits) || self.acquire_slowly::<W>(permits, deadline())?;
        Ok(taken.then(|| SemaphoreGuard { semaphore: self, permits }))
    }

    /// Whether it came before the deadline.
    #[cold]
    fn acquire_slowly<W: Wait>(
        &self,
        permits: u32,
        deadline: Option<Instant>,
    ) -> Result<bool, W::Stop> {
        let more = u32::from(permits > 1);
        self.wanting_more.fetch_add(more, SeqCst);
        // mutant: waiter-for-permits-announced
        self.waiting.fetch_add(1, SeqCst);
        let outcome = loop {
            let released = self.released.load(SeqCst);
            if self.take(permits) {
                break Ok(true);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break Ok(false);
            }
            // mutant: many-permits-sleep-apart
            let (word, value) =
                if more == 0 { (&self.permits, 0) } else { (&self.released, released) };
            if let Err(stop) = W::futex_wait(word, value, deadline) {
                break Err(stop);
            }
        };
        // mutant: waiter-for-permits-announced-2
        self.waiting.fetch_sub(1, SeqCst);
        self.wanting_more.fetch_sub(more, SeqCst);
        outcome
    }

    /// Waits for a permit.
    #[inline]
    pub fn acquire(&self) -> SemaphoreGuard<'_> {
        self.acquire_many(1)
    }

    /// Waits as [`Semaphore::acquire`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no permit was taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::Semaphore;
    /// use stopruntime::thread;
    ///
    /// let places = Semaphore::new(1);
    /// let taken = places.acquire();
    /// thread::scope(|scope| {
    ///     let waiter = scope.spawn(|| places.acquire_or_stop().is_err());
    ///     assert!(waiter.stop_and_join().unwrap());
    /// });
    /// drop(taken);
    /// assert_eq!(places.available(), 1);
    /// ```
    #[inline]
    pub fn acquire_or_stop(&self) -> Result<SemaphoreGuard<'_>, Stopped> {
        self.acquire_many_or_stop(1)
    }

    /// Waits for this many permits, and takes all of them or none.
    #[inline]
    pub fn acquire_many(&self, permits: u32) -> SemaphoreGuard<'_> {
        forever(never(self.acquire_as::<Plain>(permits, || None)))
    }

    /// Waits as [`Semaphore::acquire_many`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire_or_stop`].
    #[inline]
    pub fn acquire_many_or_stop(&self, permits: u32) -> Result<SemaphoreGuard<'_>, Stopped> {
        self.acquire_as::<OrStop>(permits, || None).map(forever)
    }

    /// Waits for a permit, at most this long.
    #[inline]
    #[must_use = "the permits are released as soon as the guard is dropped"]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<SemaphoreGuard<'_>> {
        never(self.acquire_as::<Plain>(1, || Instant::now().checked_add(timeout)))
    }

    /// Waits as [`Semaphore::acquire_timeout`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire_or_stop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::sync::Semaphore;
    ///
    /// let none = Semaphore::new(0);
    /// let permit = none.acquire_timeout_or_stop(Duration::from_millis(1));
    /// assert!(matches!(permit, Ok(None)));
    /// ```
    #[inline]
    pub fn acquire_timeout_or_stop(
        &self,
        timeout: Duration,
    ) -> Result<Option<SemaphoreGuard<'_>>, Stopped> {
        self.acquire_as::<OrStop>(1, || Instant::now().checked_add(timeout))
    }

    /// Takes a permit if one is free.
    #[inline]
    #[must_use = "the permits are released as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes this many permits if they are free.
    #[inline]
    #[must_use = "the permits are released as soon as the guard is dropped"]
    pub fn try_acquire_many(&self, permits: u32) -> Option<SemaphoreGuard<'_>> {
        self.take(permits).then(|| SemaphoreGuard { semaphore: self, permits })
    }

    /// Adds a permit.
    ///
    /// # Panics
    ///
    /// If there would be more than `u32::MAX`.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::Semaphore;
    ///
    /// let jobs = Semaphore::new(0); // counts what one thread makes and another takes
    /// jobs.release();
    /// jobs.acquire().forget();
    /// assert_eq!(jobs.available(), 0);
    /// ```
    #[inline]
    #[track_caller]
    pub fn release(&self) {
        self.release_many(1);
    }

    /// Adds this many permits.
    ///
    /// # Panics
    ///
    /// As [`Semaphore::release`].
    #[inline]
    #[track_caller]
    pub fn release_many(&self, permits: u32) {
        // mutant: permits-before-look-for-waiters
        let before = self.permits.fetch_update(SeqCst, SeqCst, |free| free.checked_add(permits));
        assert!(before.is_ok(), "a semaphore holds at most u32::MAX permits");
        // mutant: permits-before-look-for-waiters-2
        if self.waiting.load(SeqCst) != 0 {
            self.wake(permits);
        }
    }

    #[cold]
    fn wake(&self, permits: u32) {
        if permits == 1 {
            futex_wake_one(&self.permits);
        } else {
            futex_wake(&self.permits);
        }
        if self.wanting_more.load(SeqCst) != 0 {
            self.released.fetch_add(1, SeqCst);
            futex_wake(&self.released);
        }
    }
}

/// What was waited for without a deadline.
#[inline]
fn forever(guard: Option<SemaphoreGuard<'_>>) -> SemaphoreGuard<'_> {
    guard.expect("it has waited for as long as that takes")
}

impl SemaphoreGuard<'_> {
    /// Keeps the permits for good.
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

impl Drop for SemaphoreGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release_many(self.permits);
    }
}
