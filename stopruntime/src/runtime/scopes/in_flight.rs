//! How many requesters are at work, in the whole process.

use super::LOOKED;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// Whether a stop of any thread has ever been requested in this process.
static ANY_REQUESTED: AtomicBool = AtomicBool::new(false);

/// Whether a stop has ever been requested, or a deadline has passed. Async-signal-safe.
pub(crate) fn any_requested() -> bool {
    ANY_REQUESTED.load(Ordering::Relaxed)
}

/// Requesters between their first step and their last, in the whole process. A
/// thread does not take its flag down while there is one.
#[repr(align(64))]
struct InFlightCount(AtomicUsize);

static IN_FLIGHT: InFlightCount = InFlightCount(AtomicUsize::new(0));

/// One requester, counted.
pub(super) struct InFlight(());

impl InFlight {
    /// Before everything else that a requester does.
    pub(super) fn begin() -> InFlight {
        ANY_REQUESTED.store(true, Ordering::Relaxed);
        IN_FLIGHT.0.fetch_add(1, Ordering::SeqCst);
        InFlight(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether there is one.
pub(super) fn any() -> bool {
    IN_FLIGHT.0.load(Ordering::SeqCst) != 0
}

/// In a forked child: the requesters of the parent do not exist. Async-signal-safe.
pub(super) fn after_fork() {
    IN_FLIGHT.0.store(0, Ordering::SeqCst);
}

/// Takes a flag down that no requester can have set.
pub(crate) fn lower(flag: &AtomicU32) {
    // mutant: flag-stays-while-requests-are-in-flight
    if !any() {
        // Not if a request has come since.
        // mutant: flag-taken-down-unless-set-again
        let _ = flag.compare_exchange(LOOKED, 0, Ordering::SeqCst, Ordering::SeqCst);
    }
}
