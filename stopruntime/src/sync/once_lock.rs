//! A value that is initialised once.
//!
//! # Safety
//!
//! The invariant of this module: if `once` is done, the value is there, and is
//! only changed through an exclusive borrow; before, it is only touched by the
//! one thread that the `once` is running in.

#![allow(unsafe_code)]

use super::once::futex::{NOT_YET, RawOnce};
use super::wait::{OrStop, Plain, Wait, never};
use crate::scope::Stopped;
use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Holds a value that is initialised once, like [`std::sync::OnceLock`]; a wait for
/// another thread's initialiser can be stopped.
///
/// A request does not end an initialiser that is running; the marked calls in it stop as
/// anywhere. An initialiser that panics, or fails
/// ([`OnceLock::get_or_try_init`]), leaves the cell as it was, and the next thread runs
/// its own.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::OnceLock;
///
/// static LIMIT: OnceLock<u64> = OnceLock::new();
///
/// assert!(LIMIT.get_or_try_init(|| "many".parse()).is_err());
/// assert_eq!(LIMIT.get_or_init_or_stop(|| 3), Ok(&3));
/// assert_eq!(LIMIT.get_or_init(|| unreachable!()), &3);
/// assert_eq!(LIMIT.set(4), Err(4));
/// ```
pub struct OnceLock<T> {
    once: RawOnce,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value goes with the cell.
unsafe impl<T: Send> Send for OnceLock<T> {}
// SAFETY: the thread that initialises it hands it to the others, who share it.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

// As std has it.
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}
impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// Creates a cell without a value.
    #[must_use]
    pub const fn new() -> OnceLock<T> {
        OnceLock { once: RawOnce::new(), value: UnsafeCell::new(None) }
    }

    /// Returns the value, if it is there. Never waits.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: it is done.
        self.once.is_done().then(|| unsafe { self.value() })
    }

    /// # Safety
    ///
    /// The `once` is done.
    #[inline]
    unsafe fn value(&self) -> &T {
        // SAFETY: so the value is there, and not changed while `self` is borrowed.
        unsafe { (*self.value.get()).as_ref().unwrap_unchecked() }
    }

    /// Returns the value, if it is there, to be changed.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    #[inline]
    fn init<W: Wait, E>(
        &self,
        init: impl FnOnce() -> Result<T, E>,
    ) -> Result<Result<&T, E>, W::Stop> {
        let outcome = self.once.call::<W, E>(NOT_YET, |_| {
            let value = init()?;
            // SAFETY: this is the thread that the `once` is running in.
            unsafe { *self.value.get() = Some(value) };
            Ok(())
        })?;
        // SAFETY: without an error it is done.
        Ok(outcome.map(|()| unsafe { self.value() }))
    }

    /// Returns the value, which `init` makes if it is not there. Waits while another
    /// thread makes it.
    ///
    /// In `init`, a call of the same cell waits for ever.
    #[inline]
    pub fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        never(never(self.init::<Plain, Infallible>(|| Ok(init()))))
    }

    /// Does what [`OnceLock::get_or_init`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested, there is no value, and `init` was not run.
    #[inline]
    pub fn get_or_init_or_stop(&self, init: impl FnOnce() -> T) -> Result<&T, Stopped> {
        Ok(never(self.init::<OrStop, Infallible>(|| Ok(init()))?))
    }

    /// Does what [`OnceLock::get_or_init`] does, with an `init` that may fail or be
    /// stopped.
    ///
    /// # Errors
    ///
    /// Those of `init`; the cell is as it was.
    #[inline]
    pub fn get_or_try_init<E>(&self, init: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        never(self.init::<Plain, E>(init))
    }

    /// Does what [`OnceLock::get_or_try_init`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// As [`OnceLock::get_or_init_or_stop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::fs;
    /// use stopruntime::sync::OnceLock;
    ///
    /// let name = OnceLock::new();
    /// let read = || fs::read_to_string("/proc/self/comm");
    /// println!("{}", name.get_or_try_init_or_stop(read)??);
    /// assert!(name.get().is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn get_or_try_init_or_stop<E>(
        &self,
        init: impl FnOnce() -> Result<T, E>,
    ) -> Result<Result<&T, E>, Stopped> {
        self.init::<OrStop, E>(init)
    }

    /// Puts the value there, unless there is one. Waits while another thread
    /// makes it.
    ///
    /// # Errors
    ///
    /// The value, if there is one already.
    pub fn set(&self, value: T) -> Result<(), T> {
        never(self.set_as::<Plain>(value))
    }

    /// Does what [`OnceLock::set`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested, there is no value, and this one, which is
    /// gone, was not put there.
    pub fn set_or_stop(&self, value: T) -> Result<Result<(), T>, Stopped> {
        self.set_as::<OrStop>(value)
    }

    fn set_as<W: Wait>(&self, value: T) -> Result<Result<(), T>, W::Stop> {
        let mut value = Some(value);
        self.init::<W, ()>(|| value.take().ok_or(())).map(drop)?;
        Ok(value.map_or(Ok(()), Err))
    }

    /// Waits until another thread has put the value there.
    pub fn wait(&self) -> &T {
        never(self.wait_as::<Plain>())
    }

    /// Waits as [`OnceLock::wait`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and there is no value.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::OnceLock;
    /// use stopruntime::thread;
    ///
    /// static ADDRESS: OnceLock<String> = OnceLock::new();
    ///
    /// let waiter = thread::spawn(|| ADDRESS.wait_or_stop().is_err());
    /// assert!(waiter.stop_and_join().unwrap());
    /// ```
    pub fn wait_or_stop(&self) -> Result<&T, Stopped> {
        self.wait_as::<OrStop>()
    }

    fn wait_as<W: Wait>(&self) -> Result<&T, W::Stop> {
        self.once.wait_until_done::<W>(false)?;
        // SAFETY: it is done.
        Ok(unsafe { self.value() })
    }

    /// Returns the value, if it was there.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value, if it is there; the cell is without one again.
    pub fn take(&mut self) -> Option<T> {
        self.once = RawOnce::new();
        self.value.get_mut().take()
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> OnceLock<T> {
        OnceLock { once: RawOnce::done(), value: UnsafeCell::new(Some(value)) }
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> OnceLock<T> {
        self.get().cloned().map_or_else(OnceLock::new, OnceLock::from)
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => shown.field(value),
            None => shown.field(&format_args!("<uninit>")),
        };
        shown.finish()
    }
}
