//! What a thread has to tell of its stops, until it is where it may call a logger: see
//! [`event`](crate::event).

use super::cell::{REQUESTED, ScopeCell};
use super::clock;
use super::stack::{Entry, Kind, Stop};
use crate::event;
use crate::runtime::slot;
use core::cell::Cell;
use core::time::Duration;

thread_local! {
    /// What is to be told.
    static NEWS: Cell<Option<News>> = const { Cell::new(None) };
    /// The thread's own scope has stopped a call.
    static OWN_HAS_STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// A stop of which a thread has not told yet.
#[derive(Clone, Copy)]
pub(crate) struct News {
    pub(crate) stop: event::Stop,
    /// No thread has told of the request.
    pub(crate) is_first: bool,
}

/// A call is to be stopped by this scope, the thread's own if there is no entry.
pub(super) fn note(entry: Option<&Entry>, stop: Stop) {
    let again = match entry {
        Some(entry) => entry.has_stopped.get(),
        None => OWN_HAS_STOPPED.with(|stopped| stopped.replace(true)),
    };
    // mutant: stop-is-told-once
    if again {
        return;
    }
    let requested = |cell: &ScopeCell| {
        cell.find(&mut |cell| {
            let told =
                |cell: &ScopeCell| (cell.is_told_first(), cell.requester(), cell.since.age());
            cell.has(REQUESTED).then(|| told(cell))
        })
    };
    let found = match entry {
        Some(entry) => entry.cell().and_then(requested),
        None => slot::own().and_then(|record| requested(&record.own)),
    };
    let passed = match entry.map(|entry| &entry.kind) {
        Some(Kind::Until(deadline, _)) => clock::now().checked_sub(*deadline),
        _ => None,
    };
    let (is_first, by, after) = found.unwrap_or((false, None, passed.map(Duration::from_nanos)));
    let reason = stop.reason.map(|reason| reason.as_str());
    let is_deadline = found.is_none();
    let stop = event::Stop { by, reason, after, is_deadline };
    NEWS.with(|news| news.set(Some(News { stop, is_first })));
}

/// Takes what is to be told.
pub(crate) fn take() -> Option<News> {
    NEWS.with(Cell::take)
}
