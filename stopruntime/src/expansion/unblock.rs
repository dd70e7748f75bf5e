//! The option `unblock`.

use crate::runtime::attach;
use crate::scope::{Stopped, Stopper, check};
use core::sync::atomic::{AtomicBool, Ordering};

/// What a call that was ended from outside returns.
#[diagnostic::on_unimplemented(
    message = "a call that returns `{Self}` does not tell whether `unblock` has ended it",
    label = "it has to return `()`, an `Option` or a `Result`"
)]
pub trait MayFail {
    /// Whether it says that nothing came of the call, so that it can have been ended.
    fn has_failed(&self) -> bool;
}

impl MayFail for () {
    fn has_failed(&self) -> bool {
        true
    }
}

impl<T> MayFail for Option<T> {
    fn has_failed(&self) -> bool {
        self.is_none()
    }
}

impl<T, E> MayFail for Result<T, E> {
    fn has_failed(&self) -> bool {
        self.is_err()
    }
}

/// Makes a call that is not stop-checked, unless a stop is requested; if one is requested
/// meanwhile, runs `unblock` on another thread. A call that took effect all the same
/// gives its result.
///
/// # Errors
///
/// [`Stopped`]: the call was not made, or it failed after `unblock` had been run.
///
/// # Panics
///
/// If the thread for the callbacks cannot be started.
pub fn unblocked<R: MayFail>(
    unblock: impl FnOnce() + Send,
    call: impl FnOnce() -> R,
) -> Result<R, Stopped> {
    check()?;
    let has_run = AtomicBool::new(false);
    let unblock = || {
        has_run.store(true, Ordering::Relaxed);
        unblock();
    };
    let result = Stopper::joined_with_all().with_on_stop(unblock, call);
    // The look itself: a deadline may be known there before the flag says so here.
    let ended = has_run.load(Ordering::Relaxed) && result.has_failed();
    if ended && attach::registered().evaluate().take() {
        return Err(Stopped::found());
    }
    Ok(result)
}
