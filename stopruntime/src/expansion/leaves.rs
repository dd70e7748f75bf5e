//! What a function that is left on a stop returns.
//!
//! Where the macro can write the function's return type it asks for the ways out in
//! turn, by how often the method's receiver has to be borrowed: an error that is made
//! from [`Stopped`], one that is made from [`io::Error`], anything else.

use crate::scope::Stopped;
use core::marker::PhantomData;
use std::io;

/// Stands for a return type.
#[derive(Debug)]
pub struct Way<R>(PhantomData<R>);

impl<R> Way<R> {
    #[doc(hidden)]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "for expanded code")]
    pub const fn new() -> Way<R> {
        Way(PhantomData)
    }
}

/// Leaves by `From<Stopped>`, the first way out.
pub trait FromStopped {
    /// The return type.
    type Value;

    /// Makes the value to return.
    fn leave(&self, stopped: Stopped) -> Self::Value;
}

impl<T, E: From<Stopped>> FromStopped for &&Way<Result<T, E>> {
    type Value = Result<T, E>;

    fn leave(&self, stopped: Stopped) -> Result<T, E> {
        Err(stopped.into())
    }
}

/// Leaves by `From<io::Error>`, the second way out.
pub trait FromIo {
    /// The return type.
    type Value;

    /// Makes the value to return.
    fn leave(&self, stopped: Stopped) -> Self::Value;
}

impl<T, E: From<io::Error>> FromIo for &Way<Result<T, E>> {
    type Value = Result<T, E>;

    fn leave(&self, stopped: Stopped) -> Result<T, E> {
        Err(io::Error::from(stopped).into())
    }
}

/// Refuses all other errors.
pub trait FromNothing<R> {
    /// Makes the value to return.
    fn leave(&self, stopped: Stopped) -> R
    where
        R: Leave;
}

impl<R> FromNothing<R> for Way<R> {
    fn leave(&self, stopped: Stopped) -> R
    where
        R: Leave,
    {
        R::leave(stopped)
    }
}

/// What a function that is left on a stop can return.
#[diagnostic::on_unimplemented(
    message = "a stop cannot leave a function that returns `{Self}`",
    label = "no stop can become this",
    note = "it can return `()`, an `Option`, or a `Result` whose error can be made from a stop; for any other type say what to return, `#[stoppable(or = EXPR)]`, or, in a closure, put the call in a loop"
)]
pub trait Leave {
    /// Makes the value to return.
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

impl<T, E: CarriesOut> Leave for Result<T, E> {
    fn leave(stopped: Stopped) -> Result<T, E> {
        Err(E::carry_out(stopped))
    }
}

/// An error that a stop can become.
#[diagnostic::on_unimplemented(
    message = "a stop cannot leave a function whose error is `{Self}`",
    label = "no stop can become this error",
    note = "one line allows it: a variant with `#[from] std::io::Error`, or `impl From<stopruntime::Stopped> for {Self}`; where the error is another crate's, `#[stoppable(or = EXPR)]` says what to return"
)]
pub trait CarriesOut {
    /// Makes the error to return.
    fn carry_out(stopped: Stopped) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Stopped>> CarriesOut for E {
    fn carry_out(stopped: Stopped) -> E {
        stopped.into()
    }
}

/// The value with which a function is left whose return type cannot be written.
#[must_use]
pub fn leave<R: Leave>(stopped: Stopped) -> R {
    R::leave(stopped)
}

/// Makes a pointer of what leaves a function: rustc checks a call of that in half the time
/// it takes for one of a closure.
#[inline(always)]
#[must_use]
pub fn exit<R>(leave: fn(Stopped) -> R) -> fn(Stopped) -> R {
    leave
}
