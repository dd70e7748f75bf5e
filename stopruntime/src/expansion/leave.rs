//! How a function is left, and what a call made as it is says of a stop.

use crate::scope::{self, CarriesStop, Stopped, check};

/// What a function that is left on a stop can return.
#[diagnostic::on_unimplemented(
    message = "a stop cannot leave a function that returns `{Self}`",
    label = "left here when a stop is requested",
    note = "it can return `()`, `Option<_>`, or a `Result<_, E>` where `E: From<stopruntime::Stopped>`; for any other type say what to return: `#[stoppable(or = EXPR)]`, which a closure does not have"
)]
pub trait Leave {
    /// The value to return.
    fn leave(stopped: Stopped) -> Self;
}

impl Leave for () {
    fn leave(_: Stopped) {}
}

impl<T> Leave for Option<T> {
    fn leave(_: Stopped) -> Option<T> {
        None
    }
}

impl<T, E: From<Stopped>> Leave for Result<T, E> {
    fn leave(stopped: Stopped) -> Result<T, E> {
        Err(stopped.into())
    }
}

/// The value with which a function is left.
#[must_use]
pub fn leave<R: Leave>(stopped: Stopped) -> R {
    R::leave(stopped)
}

/// What a marked call that is made as it is can return.
#[diagnostic::on_unimplemented(
    message = "a marked call that returns `{Self}` cannot tell that it was stopped",
    label = "this call has no stop-checked form and is made as it is",
    note = "it has to return `()`, an `Option`, or a `Result` whose error implements `stopruntime::CarriesStop` (`io::Error` does); if what it waits for has a file descriptor, use `#[blocking(readable)]`"
)]
pub trait Nested: Sized {
    /// The value, unless it says that the call was stopped.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    fn nested(self) -> Result<Self, Stopped>;
}

impl Nested for () {
    fn nested(self) -> Result<(), Stopped> {
        check()
    }
}

impl<T> Nested for Option<T> {
    /// A stopped function returns `None`; a value is never lost.
    fn nested(self) -> Result<Option<T>, Stopped> {
        if self.is_none() {
            check()?;
        }
        Ok(self)
    }
}

impl<T, E: CarriesStop> Nested for Result<T, E> {
    fn nested(self) -> Result<Result<T, E>, Stopped> {
        match self.as_ref().err().and_then(CarriesStop::stopped) {
            Some(stopped) if scope::must_stop() => Err(stopped),
            // Another thread's stop that came home in a result is an error.
            _ => Ok(self),
        }
    }
}

/// Looks whether a call that was made as it is was stopped.
///
/// # Errors
///
/// [`Stopped`].
pub fn nested<R: Nested>(result: R) -> Result<R, Stopped> {
    result.nested()
}
