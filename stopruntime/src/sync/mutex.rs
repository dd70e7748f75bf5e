//! A mutual-exclusion lock, by the algorithm of std's futex lock
//! (`std::sys::sync::mutex::futex`), with a way to give up.
//!
//! | state | meaning |
//! |---|---|
//! | 0 | free |
//! | 1 | held, and no thread waits |
//! | 2 | held, and threads may wait |
//!
//! A waiter writes 2 before every wait. So one that was woken, and is stopped
//! before it has the lock, leaves a 2 behind: the holder's unlock wakes the next
//! waiter, and no wake-up is lost.
//!
//! # Safety
//!
//! The invariant of this module: the data is reached through a guard only, and
//! there is one guard while the state is not 0.

#![allow(unsafe_code)]

use super::poison::{Change, Poison};
use super::wait::{OrStop, Plain, Wait, never};
use crate::runtime::futex::{SPINS, futex_wake_one};
use crate::scope::Stopped;
use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, TryLockError, TryLockResult};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// The lock without its data.
#[derive(Debug)]
pub(super) struct RawMutex(AtomicU32);

impl RawMutex {
    pub(super) const fn new() -> RawMutex {
        RawMutex(AtomicU32::new(FREE))
    }

    /// Acquire pairs with the Release in `unlock`.
    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
    }

    #[inline]
    pub(super) fn lock<W: Wait>(&self) -> Result<(), W::Stop> {
        W::check()?;
        if self.try_lock() { Ok(()) } else { self.lock_contended::<W>() }
    }

    /// Tries for as long as a lock is held for a few instructions.
    #[cold]
    fn spin(&self) -> bool {
        for _ in 0..SPINS {
            match self.0.load(Relaxed) {
                FREE if self.try_lock() => return true,
                CONTENDED => break,
                _ => core::hint::spin_loop(),
            }
        }
        false
    }

    #[cold]
    fn lock_contended<W: Wait>(&self) -> Result<(), W::Stop> {
        if self.spin() {
            return Ok(());
        }
        // mutant: waiter-woken-does-not-forget
        while self.0.swap(CONTENDED, Acquire) != FREE {
            W::futex_wait(&self.0, CONTENDED, None)?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn unlock(&self) {
        if self.0.swap(FREE, Release) == CONTENDED {
            futex_wake_one(&self.0);
        }
    }
}

/// Protects data like [`std::sync::Mutex`]; a `lock` that waits can be stopped.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::Mutex;
///
/// let count = Mutex::new(1);
/// *count.lock().unwrap() += 1;
/// assert_eq!(*count.lock_or_stop().unwrap().unwrap(), 2);
/// ```
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    poison: Poison,
    data: UnsafeCell<T>,
}

impl Default for RawMutex {
    fn default() -> RawMutex {
        RawMutex::new()
    }
}

// SAFETY: the lock hands the data from thread to thread, one at a time.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// As std has it: poisoning tells of a panic in the middle of a change.
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    /// Creates a free lock over the value.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { raw: RawMutex::new(), poison: Poison::new(), data: UnsafeCell::new(value) }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// The value in a [`PoisonError`](std::sync::PoisonError), if a holder panicked.
    pub fn into_inner(self) -> LockResult<T> {
        self.poison.tell(self.data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`](std::sync::PoisonError), if a holder panicked.
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        never(self.raw.lock::<Plain>());
        MutexGuard::new(self)
    }

    /// Waits as [`Mutex::lock`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the lock was not taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::Mutex;
    /// use stopruntime::thread;
    ///
    /// let count = Mutex::new(0);
    /// let guard = count.lock().unwrap();
    /// thread::scope(|scope| {
    ///     let waiter = scope.spawn(|| count.lock_or_stop().is_err());
    ///     assert!(waiter.stop_and_join().unwrap()); // although the lock is held
    /// });
    /// drop(guard);
    /// ```
    #[inline]
    pub fn lock_or_stop(&self) -> Result<LockResult<MutexGuard<'_, T>>, Stopped> {
        self.raw.lock::<OrStop>()?;
        Ok(MutexGuard::new(self))
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if it is not.
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if self.raw.try_lock() { Ok(MutexGuard::new(self)?) } else { Err(TryLockError::WouldBlock) }
    }

    /// The lock if it is free soon, without sleeping, and no holder panicked.
    pub(super) fn try_lock_for_moments(&self) -> Option<MutexGuard<'_, T>> {
        (self.raw.try_lock() || self.raw.spin()).then(|| MutexGuard::new(self).ok()).flatten()
    }

    /// Returns whether a holder panicked.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poison.is_set()
    }

    /// Forgets that a holder panicked.
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// Returns the value; the borrow shows that no thread holds the lock.
    ///
    /// # Errors
    ///
    /// As [`Mutex::into_inner`].
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.poison.tell(self.data.get_mut())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => shown.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => shown.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => shown.field("data", &format_args!("<locked>")),
        };
        shown.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Holds the lock until it is dropped.
#[must_use = "the lock is free again as soon as the guard is dropped"]
pub struct MutexGuard<'lock, T: ?Sized> {
    mutex: &'lock Mutex<T>,
    change: Change,
    /// The lock belongs to the thread that took it, as in std.
    not_send: core::marker::PhantomData<*const ()>,
}

// SAFETY: a shared guard gives a shared reference only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<'lock, T: ?Sized> MutexGuard<'lock, T> {
    #[inline]
    pub(super) fn new(mutex: &'lock Mutex<T>) -> LockResult<MutexGuard<'lock, T>> {
        let change = Change::begin();
        mutex.poison.tell(MutexGuard { mutex, change, not_send: core::marker::PhantomData })
    }

    pub(super) fn mutex(&self) -> &'lock Mutex<T> {
        self.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock, and is borrowed exclusively.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.change.end(&self.mutex.poison);
        self.mutex.raw.unlock();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
