//! The option `unblock`.

use super::ended::MayFail;
use super::region::looked;
use crate::scope::{Stopped, Stopper, check};

/// Makes a call that is not stop-checked, unless a stop is requested; if one is requested
/// meanwhile, runs `unblock` on another thread. A call that took effect all the same
/// gives its result.
///
/// # Errors
///
/// [`Stopped`]: the call was not made, or it failed when a stop was requested.
///
/// # Panics
///
/// If the thread for the callbacks cannot be started.
pub fn unblocked<R: MayFail>(
    unblock: impl FnOnce() + Send,
    call: impl FnOnce() -> R,
) -> Result<R, Stopped> {
    check()?;
    // Once more when `unblock` can run: what runs before the call has begun may end nothing.
    // mutant: unblock-second-look
    let call = || check().map(|()| call());
    looked(Stopper::joined_with_all().with_on_stop(unblock, call))
}
