//! What is asked to stop, and being asked: [`Stopper`], [`Stopped`], [`within`],
//! checkpoints and shields.

mod carries_stop;
#[cfg(feature = "enough")]
mod enough;
mod on_overdue;
mod on_stop;
mod request_all;
mod shield;
mod stop_on_drop;
mod stopped;
mod stopper;
pub(crate) mod told;
mod within;

pub use crate::runtime::scopes::enter::Shield;
pub(crate) use crate::runtime::scopes::reason;
pub use carries_stop::CarriesStop;
#[cfg(feature = "enough")]
pub use enough::Checkpoint;
pub use on_stop::OnStop;
pub use reason::{Cause, Reason};
pub use request_all::request_stop_all;
pub use shield::shield;
pub use stop_on_drop::StopOnDrop;
pub use stopped::{Stopped, is_stopped};
pub(crate) use stopped::{find, stopped_in};
pub use stopper::Stopper;
pub use within::{TimedOut, deadline, until, within};

use crate::runtime::attach;
use crate::runtime::scopes::look;
use crate::runtime::slot;

/// Returns whether the calling code is to stop, even if a [`shield`] holds the request.
///
/// It is if a scope around it has been requested to stop or is past its deadline.
///
/// # Examples
///
/// ```
/// use stopruntime::{Stopper, check, shield, stop_requested};
///
/// Stopper::current().request_stop();
/// shield(|| {
///     assert!(stop_requested());
///     assert!(check().is_ok());
/// });
/// ```
#[doc(alias = "is_cancelled")]
#[doc(alias = "stop_token")]
#[must_use]
pub fn stop_requested() -> bool {
    look::any_stopped()
}

/// Reports a requested stop, and blocks nothing: a checkpoint.
///
/// Under a [`shield`] it reports no request from outside the shield.
///
/// # Errors
///
/// [`Stopped`] if the calling code is to stop.
///
/// # Panics
///
/// In a thread that has made no marked call yet, if the runtime cannot be installed; see
/// [`backend`](crate::backend()).
///
/// # Examples
///
/// ```
/// use stopruntime::{Stopped, check};
///
/// fn sum(numbers: &[u64]) -> Result<u64, Stopped> {
///     let mut sum = 0;
///     for chunk in numbers.chunks(4096) {
///         check()?;
///         sum += chunk.iter().sum::<u64>();
///     }
///     Ok(sum)
/// }
/// assert_eq!(sum(&[1, 2]), Ok(3));
/// ```
#[doc(alias = "pthread_testcancel")]
#[inline]
pub fn check() -> Result<(), Stopped> {
    if slot::is_suspect() { check_closer() } else { Ok(()) }
}

#[cold]
fn check_closer() -> Result<(), Stopped> {
    attach::registered().check().inspect_err(|_| told::stopped())
}

/// Whether a marked call of the calling thread would stop now.
pub(crate) fn must_stop() -> bool {
    check().is_err()
}
