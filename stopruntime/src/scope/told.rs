//! Telling a log of stops, where a thread may call a logger: see [`event`].

use crate::event::{self, Event, Level};
use crate::report;
use crate::runtime::scopes::enter::Shield;
use crate::runtime::scopes::news::{self, News};
use crate::runtime::{signal, slot};
use core::cell::Cell;

thread_local! {
    static TELLS: Cell<bool> = const { Cell::new(false) };
    /// What is in the region that is about to be left has not been run.
    static NOT_BEGUN: Cell<bool> = const { Cell::new(false) };
}

/// Tells of the stop of a call that is about to return it, if that is its scope's first.
#[cold]
pub(crate) fn stopped() {
    if !event::ON || !may_tell() {
        return;
    }
    let Some(News { stop, is_first }) = news::take() else { return };
    if is_first {
        tell(&Event::Requested(stop));
    }
    if event::is_wanted(Level::Debug) {
        let place = event::is_wanted(Level::Trace).then(report::own_place).flatten();
        tell(&Event::Stopped(stop, place));
    }
}

/// A stop has come before what is in the region begins.
pub(crate) fn region_not_begun() {
    if event::ON {
        NOT_BEGUN.with(|not_begun| not_begun.set(true));
    }
}

/// Tells of a region that has been left, if a stop has come in it, and of that stop.
pub(crate) fn region_left(after_a_stop: bool) {
    if !event::ON {
        return;
    }
    if !NOT_BEGUN.with(Cell::take) && after_a_stop {
        tell(&Event::RegionLeft);
    }
    stopped();
}

/// The logger has returned, or panics.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        TELLS.with(|tells| tells.set(false));
    }
}

/// Tells of something else.
pub(crate) fn tell(event: &Event<'_>) {
    if !event::ON || !may_tell() {
        return;
    }
    TELLS.with(|tells| tells.set(true));
    let _ends = Ends;
    // A logger may make marked calls, and is not stopped.
    // mutant: logger-is-not-stopped
    let _shield = Shield::enter();
    event::tell(signal::thread_id(), event);
}

/// Not from a logger, nor in a region, where what a logger writes would fail.
fn may_tell() -> bool {
    // mutant: logger-is-in-no-region
    !TELLS.with(Cell::get) && !slot::own().is_some_and(|record| record.region.is_open())
}
