//! Code in which requests are held.

use crate::runtime::scopes::enter::Shield;

/// Runs `f` while requests are held.
///
/// Marked calls in `f` wait as plain ones do, and the first checkpoint or marked call
/// after it sees the stop. A scope that is entered inside the shield still works:
/// `shield(|| within(limit, flush))` is a clean-up with a time limit.
///
/// Shields nest. A panic in `f` leaves the shield.
///
/// # Examples
///
/// ```
/// use stopruntime::{Stopper, check, shield};
///
/// Stopper::current().request_stop();
/// shield(|| assert!(check().is_ok()));
/// assert!(check().is_err());
/// ```
#[doc(alias = "pthread_setcancelstate")]
pub fn shield<R>(f: impl FnOnce() -> R) -> R {
    // mutant: panic-ends-shield
    let _shield = Shield::enter();
    f()
}
