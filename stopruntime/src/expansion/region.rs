//! The option `foreign`, and the calls behind `readable` and `writable`.

use super::ended::{self, MayFail};
use crate::foreign::Inside;
use crate::scope::Stopped;
use core::marker::PhantomData;

/// The region of foreign code that the thread is in, until it is dropped.
#[must_use]
pub struct Region {
    _inside: Inside<'static>,
    _of_this_thread: PhantomData<*const ()>,
}

/// Enters a region of foreign code.
///
/// # Errors
///
/// [`Stopped`]: no call is to be made.
#[inline]
pub fn region() -> Result<Region, Stopped> {
    Ok(Region { _inside: Inside::enter()?, _of_this_thread: PhantomData })
}

/// Leaves the region, once the second operand has been evaluated in it.
#[inline]
pub fn left_by<R>(region: Region, value: R) -> R {
    drop(region);
    value
}

/// Tells a call that a stop has ended from others, where it was made under a limit.
///
/// # Errors
///
/// [`Stopped`]: the call was not made, or it failed when a stop was requested.
pub fn looked<R: MayFail>(result: Result<R, Stopped>) -> Result<R, Stopped> {
    let result = result?;
    match if result.has_failed() { ended::stop() } else { None } {
        Some(stopped) => Err(stopped),
        None => Ok(result),
    }
}
