//! Whether a call that knows nothing of stops has been ended by one: it has failed, and a
//! stop is requested.
//!
//! rustc picks the method by how often the receiver has to be borrowed: that of an
//! iterator's item, of what can fail, of anything else, which passes: the next mark sees
//! the stop.

use crate::runtime::attach;
use crate::scope::Stopped;

/// Holds what a call returned.
#[derive(Debug)]
pub struct Ended<'a, R>(pub &'a R);

/// A call has failed: the stop, if there is one.
pub(super) fn stop() -> Option<Stopped> {
    // The look itself: a deadline may be known in the region before the flag says so here.
    attach::registered().evaluate().take().then(Stopped::returned)
}

/// Looks at an iterator's item.
pub trait OfItem {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<T, E> OfItem for &&Ended<'_, Option<Result<T, E>>> {
    fn stopped(&self) -> Option<Stopped> {
        if matches!(self.0, Some(Ok(_))) { None } else { stop() }
    }
}

/// Looks at what can fail.
pub trait OfResult {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<R: MayFail> OfResult for &Ended<'_, R> {
    fn stopped(&self) -> Option<Stopped> {
        // mutant: foreign-error-looked-at
        if self.0.has_failed() { stop() } else { None }
    }
}

/// Passes anything else on.
pub trait OfValue {
    /// Returns no stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<R> OfValue for Ended<'_, R> {
    fn stopped(&self) -> Option<Stopped> {
        None
    }
}

/// What a call that was ended from outside returns.
#[diagnostic::on_unimplemented(
    message = "a call that returns `{Self}` does not tell whether a stop has ended it",
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
