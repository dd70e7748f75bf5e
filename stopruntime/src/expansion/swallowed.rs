//! A stop that a caller swallows: in debug builds it is said where.
//!
//! A function that stops hands its stop on as an error. If its caller is not marked and
//! takes that for an ordinary error, it may call again, at once, for ever: nothing waits
//! once a stop is requested.

use crate::runtime::known::MANY;
use crate::runtime::scopes::look::is_stopped;
use crate::runtime::slot;
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

/// A stop is about to leave what it leaves.
#[inline(always)]
#[track_caller]
pub fn left() {
    if cfg!(debug_assertions) {
        count(Location::caller());
    }
}

#[cold]
fn count(place: &Location<'_>) {
    static SAID: AtomicBool = AtomicBool::new(false);
    // Not of a thread that runs one stopped job after the other.
    let Some(record) = slot::own().filter(|record| is_stopped(&record.own)) else { return };
    if record.known.swallow() == MANY && !SAID.swap(true, Ordering::Relaxed) {
        eprintln!(
            "stopruntime: {place}: this has been stopped {MANY} times, and its thread has not \
             ended. Does a caller take the stop for an ordinary error and call again? Mark the \
             call there with `#[blocking(as_is)]`, or ask `stopruntime::stop_requested()`."
        );
    }
}
