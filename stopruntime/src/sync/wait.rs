//! The two ways to wait, so that each algorithm is written once.

use crate::call;
use crate::runtime::futex::futex_wait;
use crate::scope::{self, Stopped};
use core::convert::Infallible;
use core::sync::atomic::AtomicU32;
use std::time::Instant;

/// How a primitive waits.
pub(super) trait Wait {
    /// What may end the wait besides its event.
    type Stop: Copy;

    /// Runs before the first look at the primitive.
    fn check() -> Result<(), Self::Stop>;

    /// Waits while the word has this value, at most until the deadline; may
    /// return early. An error has consumed no wake-up.
    fn futex_wait(
        word: &AtomicU32,
        value: u32,
        deadline: Option<Instant>,
    ) -> Result<(), Self::Stop>;
}

/// As std waits.
pub(super) enum Plain {}

impl Wait for Plain {
    type Stop = Infallible;

    #[inline]
    fn check() -> Result<(), Infallible> {
        Ok(())
    }

    fn futex_wait(
        word: &AtomicU32,
        value: u32,
        deadline: Option<Instant>,
    ) -> Result<(), Infallible> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        futex_wait(word, value, left);
        Ok(())
    }
}

/// Stop-checked.
pub(super) enum OrStop {}

impl Wait for OrStop {
    type Stop = Stopped;

    #[inline]
    fn check() -> Result<(), Stopped> {
        scope::check()
    }

    fn futex_wait(word: &AtomicU32, value: u32, deadline: Option<Instant>) -> Result<(), Stopped> {
        call::futex_wait_or_stop(word, value, deadline)
    }
}

/// The value of a wait that nothing stops.
#[inline]
pub(super) fn never<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
