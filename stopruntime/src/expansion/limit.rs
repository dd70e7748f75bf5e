//! The option `within`.

use crate::scope::{Stopped, TimedOut, within};
use std::io;
use std::time::Duration;

/// Why a call under a limit has no value.
enum Ended<E> {
    /// By an error of its own.
    Failed(E),
    /// It stopped.
    Stopped(Stopped),
    TimedOut(TimedOut),
}

impl<E> From<TimedOut> for Ended<E> {
    fn from(timed_out: TimedOut) -> Ended<E> {
        Ended::TimedOut(timed_out)
    }
}

/// Makes a call that may take so long: if it takes longer it fails with
/// [`TimedOut`].
///
/// # Errors
///
/// [`Stopped`], if the stop came from farther out.
#[inline]
pub fn limited<T, E: From<io::Error>>(
    limit: Duration,
    call: impl FnOnce() -> Result<Result<T, E>, Stopped>,
) -> Result<Result<T, E>, Stopped> {
    let result = within(limit, || match call() {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Ended::Failed(error)),
        Err(stopped) => Err(Ended::Stopped(stopped)),
    });
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Ended::Failed(error)) => Ok(Err(error)),
        Err(Ended::Stopped(stopped)) => Err(stopped),
        Err(Ended::TimedOut(timed_out)) => Ok(Err(io::Error::from(timed_out).into())),
    }
}
