//! A closure that is run once.

pub(super) mod futex;

use super::wait::{OrStop, Plain, Wait, never};
use crate::scope::Stopped;
use core::convert::Infallible;
use core::fmt;
use futex::{POISONED, RawOnce};

/// Runs a closure once like [`std::sync::Once`]; a wait for another thread's closure can
/// be stopped.
///
/// A request does not end a closure that is running. The marked calls in it stop as
/// anywhere, and the closure is left early. If it returns `()` it cannot say so: it counts
/// as run, and no other closure is run. Where that matters, use
/// [`Once::try_call_once`], whose closure says whether it has finished.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::Once;
///
/// static START: Once = Once::new();
///
/// START.call_once_or_stop(|| println!("started")).unwrap();
/// START.call_once(|| unreachable!());
/// assert!(START.is_completed());
/// ```
#[derive(Default)]
pub struct Once {
    raw: RawOnce,
}

/// Tells a closure of [`Once::call_once_force`] what happened before.
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Returns whether a closure panicked before.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl Once {
    /// Creates a cell for which nothing has run.
    #[must_use]
    pub const fn new() -> Once {
        Once { raw: RawOnce::new() }
    }

    #[inline]
    fn try_call<W: Wait, E>(
        &self,
        force: bool,
        run: impl FnOnce(&OnceState) -> Result<(), E>,
    ) -> Result<Result<(), E>, W::Stop> {
        self.raw.call::<W, E>(POISONED, |poisoned| {
            // A panic here leaves it poisoned.
            assert!(force || !poisoned, "the closure of this `Once` has panicked before");
            run(&OnceState { poisoned })
        })
    }

    #[inline]
    fn call<W: Wait>(&self, force: bool, run: impl FnOnce(&OnceState)) -> Result<(), W::Stop> {
        let run = |state: &OnceState| {
            run(state);
            Ok::<(), Infallible>(())
        };
        self.try_call::<W, _>(force, run).map(never)
    }

    /// Runs the closure, unless one has run; waits while one runs.
    ///
    /// In the closure, a call of the same `Once` waits for ever.
    ///
    /// # Panics
    ///
    /// If a closure has panicked before.
    #[inline]
    pub fn call_once(&self, run: impl FnOnce()) {
        never(self.call::<Plain>(false, |_| run()));
    }

    /// Runs the closure as [`Once::call_once`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested, no closure has run to its end, and this
    /// one was not run.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once`].
    #[inline]
    pub fn call_once_or_stop(&self, run: impl FnOnce()) -> Result<(), Stopped> {
        self.call::<OrStop>(false, |_| run())
    }

    /// Runs a closure that may fail, or be stopped, as [`Once::call_once`] does. If
    /// it fails, none has run: the next thread in line runs its own.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::sync::Once;
    /// use stopruntime::{Stopped, stoppable, thread};
    ///
    /// #[stoppable]
    /// fn warm_up(ready: &Once) -> Result<(), Stopped> {
    ///     ready.try_call_once(|| -> Result<(), Stopped> {
    ///         #[blocking]
    ///         thread::sleep(Duration::from_secs(3600));
    ///         Ok(())
    ///     })
    /// }
    ///
    /// static READY: Once = Once::new();
    /// let starting = thread::spawn(|| warm_up(&READY));
    /// assert!(starting.stop_and_join().unwrap().is_err());
    /// assert!(!READY.is_completed());
    /// READY.call_once(|| println!("started"));
    /// ```
    #[inline]
    pub fn try_call_once<E>(&self, run: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        never(self.try_call::<Plain, E>(false, |_| run()))
    }

    /// Runs the closure as [`Once::try_call_once`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested, no closure has run to its end, and this
    /// one was not run.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once`].
    #[inline]
    pub fn try_call_once_or_stop<E>(
        &self,
        run: impl FnOnce() -> Result<(), E>,
    ) -> Result<Result<(), E>, Stopped> {
        self.try_call::<OrStop, E>(false, |_| run())
    }

    /// Runs the closure as [`Once::call_once`] does, even if one has panicked
    /// before.
    #[inline]
    pub fn call_once_force(&self, run: impl FnOnce(&OnceState)) {
        never(self.call::<Plain>(true, run));
    }

    /// Runs the closure as [`Once::call_once_force`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// As [`Once::call_once_or_stop`].
    #[inline]
    pub fn call_once_force_or_stop(&self, run: impl FnOnce(&OnceState)) -> Result<(), Stopped> {
        self.call::<OrStop>(true, run)
    }

    /// Returns whether a closure has run to its end.
    #[must_use]
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.raw.is_done()
    }

    fn wait_as<W: Wait>(&self, force: bool) -> Result<(), W::Stop> {
        let done = self.raw.wait_until_done::<W>(!force)?;
        assert!(done, "the closure of this `Once` has panicked");
        Ok(())
    }

    /// Waits until a closure has run.
    ///
    /// # Panics
    ///
    /// If one has panicked.
    pub fn wait(&self) {
        never(self.wait_as::<Plain>(false));
    }

    /// Waits as [`Once::wait`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no closure has run.
    ///
    /// # Panics
    ///
    /// As [`Once::wait`].
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::Once;
    /// use stopruntime::thread;
    ///
    /// static READY: Once = Once::new();
    ///
    /// let waiter = thread::spawn(|| READY.wait_or_stop());
    /// READY.call_once(|| println!("ready"));
    /// assert!(waiter.join().unwrap().is_ok());
    /// ```
    pub fn wait_or_stop(&self) -> Result<(), Stopped> {
        self.wait_as::<OrStop>(false)
    }

    /// Waits as [`Once::wait`] does; if a closure has panicked, for another one.
    pub fn wait_force(&self) {
        never(self.wait_as::<Plain>(true));
    }

    /// Waits as [`Once::wait_force`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no closure has run.
    pub fn wait_force_or_stop(&self) -> Result<(), Stopped> {
        self.wait_as::<OrStop>(true)
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Once").finish_non_exhaustive()
    }
}
