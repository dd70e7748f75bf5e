//! A stop that a caller swallows: in debug builds it is said where.
//!
//! A function that stops hands its stop on as an error. If its caller is not marked and
//! takes that for an ordinary error, it may call again, at once, for ever: nothing waits
//! once a stop is requested.

use crate::runtime::scopes::look::is_stopped;
use crate::runtime::slot;
use core::cell::Cell;
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

/// More stops than a thread meets that is about to end.
const MANY: u32 = 1000;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

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
    if !slot::own().is_some_and(|record| is_stopped(&record.own)) {
        return;
    }
    // A thread whose thread-locals are gone is about to end.
    let count = LEFT.try_with(|left| left.replace(left.get().saturating_add(1))).unwrap_or(0);
    if count == MANY && !SAID.swap(true, Ordering::Relaxed) {
        eprintln!(
            "stopruntime: {place}: this has been stopped {MANY} times, and its thread has not \
             ended. Does a caller take the stop for an ordinary error and call again? Mark the \
             call there with `#[blocking(as_is)]`, or ask `stopruntime::stop_requested()`."
        );
    }
}
