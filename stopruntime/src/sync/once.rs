//! A closure that is run once.

pub(super) mod raw;

use super::wait::{OrStop, Plain, Wait, never};
use crate::stop::Stopped;
use core::convert::Infallible;
use core::fmt;
use raw::{POISONED, Raw};

/// [`std::sync::Once`] whose waits, for a closure that runs in another thread,
/// can be stopped.
///
/// A request does not end a closure that runs; what is marked in it is stopped
/// as anywhere.
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
    raw: Raw,
}

/// What a closure of [`Once::call_once_force`] is told.
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether a closure panicked before.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl Once {
    /// Nothing has run.
    #[must_use]
    pub const fn new() -> Once {
        Once { raw: Raw::new() }
    }

    #[inline]
    fn call<W: Wait>(&self, force: bool, run: impl FnOnce(&OnceState)) -> Result<(), W::Stop> {
        let checked = |poisoned: bool| {
            // A panic here leaves it poisoned.
            assert!(force || !poisoned, "the closure of this `Once` has panicked before");
            run(&OnceState { poisoned });
            Ok::<(), Infallible>(())
        };
        self.raw.call::<W, _>(POISONED, checked).map(never)
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

    /// [`Once::call_once`], stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and this closure was not run.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once`].
    #[inline]
    pub fn call_once_or_stop(&self, run: impl FnOnce()) -> Result<(), Stopped> {
        self.call::<OrStop>(false, |_| run())
    }

    /// [`Once::call_once`], also if a closure has panicked before.
    #[inline]
    pub fn call_once_force(&self, run: impl FnOnce(&OnceState)) {
        never(self.call::<Plain>(true, run));
    }

    /// [`Once::call_once_force`], stop-checked.
    ///
    /// # Errors
    ///
    /// As [`Once::call_once_or_stop`].
    #[inline]
    pub fn call_once_force_or_stop(&self, run: impl FnOnce(&OnceState)) -> Result<(), Stopped> {
        self.call::<OrStop>(true, run)
    }

    /// Whether a closure has run to its end.
    #[must_use]
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.raw.is_done()
    }

    fn wait_as<W: Wait>(&self, force: bool) -> Result<(), W::Stop> {
        let done = self.raw.wait::<W>(!force)?;
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

    /// [`Once::wait`], stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested.
    ///
    /// # Panics
    ///
    /// As [`Once::wait`].
    pub fn wait_or_stop(&self) -> Result<(), Stopped> {
        self.wait_as::<OrStop>(false)
    }

    /// [`Once::wait`], for another one if one has panicked.
    pub fn wait_force(&self) {
        never(self.wait_as::<Plain>(true));
    }

    /// [`Once::wait_force`], stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested.
    pub fn wait_force_or_stop(&self) -> Result<(), Stopped> {
        self.wait_as::<OrStop>(true)
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Once").finish_non_exhaustive()
    }
}
