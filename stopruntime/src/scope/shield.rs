//! Code in which requests are held.

use crate::runtime::scopes::entries::Shield;

/// Runs `f` while requests are held: marked calls in it wait as plain ones do,
/// and the stop is seen by the first checkpoint or marked call after it.
///
/// Shields nest. A panic in `f` leaves the shield.
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
