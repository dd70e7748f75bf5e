//! A lock for many readers or one writer.
//!
//! # Safety
//!
//! The invariant of this module: the data is reached through a guard only;
//! while there is a write guard there is no other guard.

#![allow(unsafe_code)]

mod futex;

use super::poison::{Change, Poison};
use super::wait::{OrStop, Plain, never};
use crate::scope::Stopped;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use futex::RawRwLock;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, TryLockError, TryLockResult};

/// Protects data for many readers or one writer like [`std::sync::RwLock`], stop-checked.
///
/// Writers go first: while one waits, no further reader gets the lock. So a
/// thread that reads must not ask to read again before it has let go, or it may
/// wait for a writer that waits for it. A writer that is stopped while it waits
/// lets the readers in again.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::RwLock;
///
/// let names = RwLock::new(vec!["a"]);
/// names.write_or_stop().unwrap().unwrap().push("b");
/// let (one, other) = (names.read().unwrap(), names.read_or_stop().unwrap().unwrap());
/// assert_eq!((one.len(), other.len()), (2, 2));
/// assert!(names.try_write().is_err());
/// ```
#[derive(Default)]
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    poison: Poison,
    data: UnsafeCell<T>,
}

// SAFETY: the data goes with the lock.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: writers hand the data from thread to thread, readers share it.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

// As std has it: poisoning tells of a panic in the middle of a change.
impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    /// Creates a free lock over the value.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { raw: RawRwLock::new(), poison: Poison::new(), data: UnsafeCell::new(value) }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// The value in a [`PoisonError`](std::sync::PoisonError), if a writer
    /// panicked.
    pub fn into_inner(self) -> LockResult<T> {
        self.poison.tell(self.data.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer holds the lock or waits for it.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`](std::sync::PoisonError), if a writer
    /// panicked.
    ///
    /// # Panics
    ///
    /// If there are 2³⁰ - 2 readers already.
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        never(self.raw.read::<Plain>());
        self.reader()
    }

    /// Waits as [`RwLock::read`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the lock was not taken.
    ///
    /// # Panics
    ///
    /// As [`RwLock::read`].
    #[inline]
    pub fn read_or_stop(&self) -> Result<LockResult<RwLockReadGuard<'_, T>>, Stopped> {
        self.raw.read::<OrStop>()?;
        Ok(self.reader())
    }

    /// Takes the lock for reading if no writer holds it or waits for it.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if one does.
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if self.raw.try_read() { Ok(self.reader()?) } else { Err(TryLockError::WouldBlock) }
    }

    /// Waits until no thread holds the lock.
    ///
    /// # Errors
    ///
    /// As [`RwLock::read`].
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        never(self.raw.write::<Plain>());
        self.writer()
    }

    /// Waits as [`RwLock::write`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// As [`RwLock::read_or_stop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::RwLock;
    /// use stopruntime::thread;
    ///
    /// let names = RwLock::new(vec!["a"]);
    /// let reader = names.read().unwrap();
    /// thread::scope(|scope| {
    ///     let writer = scope.spawn(|| names.write_or_stop().is_err());
    ///     assert!(writer.stop_and_join().unwrap());
    /// });
    /// assert!(names.try_read().is_ok()); // no writer waits any more
    /// drop(reader);
    /// ```
    #[inline]
    pub fn write_or_stop(&self) -> Result<LockResult<RwLockWriteGuard<'_, T>>, Stopped> {
        self.raw.write::<OrStop>()?;
        Ok(self.writer())
    }

    /// Takes the lock for writing if no thread holds it.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if a thread does.
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if self.raw.try_write() { Ok(self.writer()?) } else { Err(TryLockError::WouldBlock) }
    }

    /// Of a lock that this thread reads.
    #[inline]
    fn read_guard(&self) -> RwLockReadGuard<'_, T> {
        // SAFETY: a cell's pointer is not null.
        let data = unsafe { NonNull::new_unchecked(self.data.get()) };
        RwLockReadGuard { raw: &self.raw, data, not_send: PhantomData }
    }

    /// Of a read lock just taken.
    #[inline]
    fn reader(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.poison.tell(self.read_guard())
    }

    /// Of a write lock just taken.
    #[inline]
    fn writer(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let change = Change::begin();
        self.poison.tell(RwLockWriteGuard { lock: self, change, not_send: PhantomData })
    }

    /// Returns whether a writer panicked.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poison.is_set()
    }

    /// Forgets that a writer panicked.
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// Returns the value; the borrow shows that no thread holds the lock.
    ///
    /// # Errors
    ///
    /// As [`RwLock::into_inner`].
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.poison.tell(self.data.get_mut())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => shown.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => shown.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => shown.field("data", &format_args!("<locked>")),
        };
        shown.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Holds the lock for reading until it is dropped.
#[must_use = "the lock is given back as soon as the guard is dropped"]
pub struct RwLockReadGuard<'lock, T: ?Sized> {
    raw: &'lock RawRwLock,
    /// Not through the lock, which may be written through: what is only read may
    /// be taken for something that lives shorter (covariant), as std's guard.
    data: NonNull<T>,
    /// The lock belongs to the thread that took it, as in std.
    not_send: PhantomData<*const ()>,
}

/// Holds the lock for writing until it is dropped.
#[must_use = "the lock is free again as soon as the guard is dropped"]
pub struct RwLockWriteGuard<'lock, T: ?Sized> {
    lock: &'lock RwLock<T>,
    change: Change,
    /// As in the other guard.
    not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives a shared reference only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<'lock, T: ?Sized> RwLockWriteGuard<'lock, T> {
    /// Goes on with reading, without a moment in which the lock is free.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let names = RwLock::new(vec!["a"]);
    /// let mut writer = names.write().unwrap();
    /// writer.push("b");
    /// let reader = RwLockWriteGuard::downgrade(writer);
    /// assert_eq!(names.read().unwrap().len(), reader.len());
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'lock, T> {
        let lock = guard.lock;
        core::mem::forget(guard);
        lock.raw.downgrade();
        lock.read_guard()
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard reads the lock, which outlives it; there is no write
        // guard.
        unsafe { self.data.as_ref() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one, and is borrowed exclusively.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.raw.unlock_read();
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.change.end(&self.lock.poison);
        self.lock.raw.unlock_write();
    }
}

macro_rules! shown_as_the_data {
    ($($guard:ident),*) => {$(
        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(formatter)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(formatter)
            }
        }
    )*};
}
shown_as_the_data!(RwLockReadGuard, RwLockWriteGuard);
