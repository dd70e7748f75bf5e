//! Parking.

use crate::current;
use crate::stop::Stopped;
use std::thread;
use std::time::Duration;

/// [`std::thread::park`], stop-checked: it waits for std's own token, the one
/// that [`Thread::unpark`](std::thread::Thread::unpark) sets.
///
/// The token outlasts a stop: if one was set, it still is. A stop that finds the
/// thread parked always leaves one, as std does not tell whose it was, so that
/// the next `park` may return at once; every `park` may.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no token was taken.
///
/// ```
/// use std::thread;
/// use stopruntime::{Stopper, ext::park_or_stop};
///
/// thread::current().unpark();
/// assert!(park_or_stop().is_ok());
/// Stopper::current().request_stop();
/// assert!(park_or_stop().is_err());
/// ```
pub fn park_or_stop() -> Result<(), Stopped> {
    park_by(thread::park)
}

/// [`std::thread::park_timeout`], stop-checked; see [`park_or_stop`].
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no token was taken.
pub fn park_timeout_or_stop(timeout: Duration) -> Result<(), Stopped> {
    park_by(|| thread::park_timeout(timeout))
}

fn park_by(park: impl FnOnce()) -> Result<(), Stopped> {
    if current::registered().park(park) { Ok(()) } else { Err(Stopped::new()) }
}
