//! Whether a call that was made as it is says that it was stopped.
//!
//! The macro does not see types, so rustc picks one of the methods named `stopped`, by
//! how often the receiver has to be borrowed. In this order: the method of an error with
//! [`CarriesStop`], of one that is [`Error`], of one that derefs to an error or hands one
//! out, and of anything else.

use crate::scope::{self, CarriesStop, Stopped};
use core::ops::Deref;
use std::error::Error;

/// Holds what a call returned.
#[derive(Debug)]
pub struct Of<'a, R>(pub &'a R);

/// A call's result that may be an error: also what an iterator over results yields.
pub trait Fallible {
    /// Returns the error.
    type Error;

    /// The stop that `find` finds in the error, or that the end of an iterator is.
    fn stop(&self, find: impl FnOnce(&Self::Error) -> Option<Stopped>) -> Option<Stopped>;
}

impl<T, E> Fallible for Result<T, E> {
    type Error = E;

    fn stop(&self, find: impl FnOnce(&E) -> Option<Stopped>) -> Option<Stopped> {
        let stopped = self.as_ref().err().and_then(find)?;
        // Another thread's stop that came home in a result is an error.
        // mutant: another-threads-stop-in-result
        scope::must_stop().then_some(stopped)
    }
}

impl<T, E> Fallible for Option<Result<T, E>> {
    type Error = E;

    fn stop(&self, find: impl FnOnce(&E) -> Option<Stopped>) -> Option<Stopped> {
        match self {
            Some(result) => result.stop(find),
            // mutant: stopped-iterator-ends
            None => scope::check().err(),
        }
    }
}

/// Finds a stop by [`CarriesStop`].
pub trait ByItself {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<R: Fallible<Error: CarriesStop>> ByItself for &&&&Of<'_, R> {
    fn stopped(&self) -> Option<Stopped> {
        self.0.stop(CarriesStop::stopped)
    }
}

/// Finds a stop by [`Error::source`].
pub trait BySource {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<R: Fallible<Error: Error + 'static>> BySource for &&&Of<'_, R> {
    fn stopped(&self) -> Option<Stopped> {
        // mutant: stop-by-source
        self.0.stop(|error| scope::find(Some(error)))
    }
}

/// Finds a stop by [`Deref`].
pub trait ByDeref {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<R: Fallible<Error: Deref<Target: Walkable>>> ByDeref for &&Of<'_, R> {
    fn stopped(&self) -> Option<Stopped> {
        self.0.stop(|error| scope::find(Some(error.walk())))
    }
}

/// What an error derefs to.
pub trait Walkable {
    /// Returns the error.
    fn walk(&self) -> &(dyn Error + 'static);
}

impl Walkable for dyn Error {
    fn walk(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl Walkable for dyn Error + Send {
    fn walk(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl Walkable for dyn Error + Send + Sync {
    fn walk(&self) -> &(dyn Error + 'static) {
        self
    }
}

/// Finds a stop by [`AsRef`].
pub trait ByReference {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>;
}

impl<R: Fallible<Error: AsRef<dyn Error + 'static>>> ByReference for &Of<'_, R> {
    fn stopped(&self) -> Option<Stopped> {
        self.0.stop(|error| scope::find(Some(error.as_ref())))
    }
}

/// Finds no stop: refuses.
pub trait ByNothing<R> {
    /// Returns the stop.
    fn stopped(&self) -> Option<Stopped>
    where
        R: Nested;
}

impl<R> ByNothing<R> for Of<'_, R> {
    fn stopped(&self) -> Option<Stopped>
    where
        R: Nested,
    {
        self.0.stopped()
    }
}

/// What else a call that is made as it is can return.
#[diagnostic::on_unimplemented(
    message = "a marked call that returns `{Self}` cannot tell that it was stopped",
    label = "this call has no stop-checked form and is made as it is",
    note = "it has to return `()`, an `Option`, or a `Result` whose error is a `std::error::Error`; if what it waits for has a file descriptor, use `#[blocking(readable)]`"
)]
pub trait Nested {
    /// Returns the stop that it reports.
    fn stopped(&self) -> Option<Stopped>;
}

impl Nested for () {
    fn stopped(&self) -> Option<Stopped> {
        scope::check().err()
    }
}

impl<T> Nested for Option<T> {
    /// A stopped function returns `None`; a value is never lost.
    fn stopped(&self) -> Option<Stopped> {
        if self.is_none() { scope::check().err() } else { None }
    }
}

impl<T, E: Tells> Nested for Result<T, E> {
    fn stopped(&self) -> Option<Stopped> {
        self.stop(Tells::tells)
    }
}

/// As [`CarriesStop`]; what rustc says of it is its purpose.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot carry a stop",
    label = "this call is made as it is, and its error does not tell a stop from a failure",
    note = "if the type is yours, implement `std::error::Error` for it, with a `source`, or `stopruntime::CarriesStop`; if it is another crate's and the call waits for a file descriptor, use `#[blocking(readable)]`"
)]
pub trait Tells {
    /// Returns the stop that it carries, if there is one.
    fn tells(&self) -> Option<Stopped>;
}

#[diagnostic::do_not_recommend]
impl<E: CarriesStop> Tells for E {
    fn tells(&self) -> Option<Stopped> {
        self.stopped()
    }
}
