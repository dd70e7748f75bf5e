//! The options `foreign` and `foreign_reset`, and the calls behind `readable` and `writable`.

use super::ended::{self, MayFail};
use crate::foreign::{Inside, Resets};
use crate::scope::Stopped;
use core::marker::PhantomData;

/// The region of foreign code that the thread is in, until it is dropped.
#[must_use]
pub struct Region {
    inside: Inside<'static>,
    _of_this_thread: PhantomData<*const ()>,
}

/// Enters a region of foreign code.
///
/// # Errors
///
/// [`Stopped`]: no call is to be made.
#[inline]
pub fn region() -> Result<Region, Stopped> {
    Ok(Region { inside: Inside::enter()?, _of_this_thread: PhantomData })
}

/// The same of one in which connections are reset.
#[must_use]
pub struct ResettingRegion {
    _resets: Option<Resets<'static>>,
    _region: Region,
}

/// Enters a region of foreign code in which a stop resets connections.
///
/// # Errors
///
/// [`Stopped`]: no call is to be made.
#[inline]
pub fn resetting_region() -> Result<ResettingRegion, Stopped> {
    let region = region()?;
    Ok(ResettingRegion { _resets: Resets::begin(&region.inside), _region: region })
}

/// Leaves the region, once the second operand has been evaluated in it.
#[inline]
pub fn left_by<G, R>(region: G, value: R) -> R {
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
