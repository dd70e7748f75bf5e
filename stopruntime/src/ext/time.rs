//! Sleeping.

use super::raw;
use crate::ppoll;
use crate::stop::Stopped;
use std::time::{Duration, Instant};

/// [`std::thread::sleep`], stop-checked. `clock_nanosleep(2)`.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{Stopper, ext::sleep_or_stop};
///
/// assert!(sleep_or_stop(Duration::from_millis(1)).is_ok());
/// Stopper::current().request_stop();
/// assert!(sleep_or_stop(Duration::MAX).is_err());
/// ```
pub fn sleep_or_stop(duration: Duration) -> Result<(), Stopped> {
    raw::sleep_until(ppoll::now(libc::CLOCK_MONOTONIC).saturating_add(duration))
}

/// `std::thread::sleep_until`, stop-checked. `clock_nanosleep(2)`.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
pub fn sleep_until_or_stop(deadline: Instant) -> Result<(), Stopped> {
    // An Instant does not tell its number; the distance does.
    sleep_or_stop(deadline.saturating_duration_since(Instant::now()))
}
