//! A look at a thread: what it does, and what keeps it from stopping.

use super::activity::{Activity, Wait};
use super::obstacle::Obstacle;
use super::task;
use super::thread::{Request, ThreadReport};
use super::waits_for::WaitsFor;
use crate::runtime::action;
use crate::runtime::known::MANY;
use crate::runtime::record::Record;
use crate::runtime::scopes::reported::Concern;

impl ThreadReport {
    /// Looks at the thread of a record that is held.
    pub(crate) fn of(record: &Record) -> ThreadReport {
        let looked = task::look(record);
        let concern = record.concern();
        let obstacles = find(record, &looked.activity, concern.as_ref(), looked.blocked);
        ThreadReport {
            name: looked.name,
            id: looked.id,
            activity: looked.activity,
            request: concern.map(|concern| Request {
                cause: concern.cause,
                reason: concern.reason,
                age: concern.age,
            }),
            obstacles,
        }
    }

    /// The same with the name that std has for it.
    pub(crate) fn named(record: &Record, thread: &std::thread::Thread) -> ThreadReport {
        let mut report = ThreadReport::of(record);
        if let Some(name) = thread.name() {
            name.clone_into(&mut report.name);
        }
        report
    }
}

/// What keeps the thread from obeying this stop, or would if there were one.
fn find(
    record: &Record,
    activity: &Activity,
    concern: Option<&Concern>,
    blocked: bool,
) -> Vec<Obstacle> {
    let is_asked = concern.is_some();
    let is_hidden = concern.map_or(!record.sees_own(), |concern| concern.is_hidden);
    let wait = match activity {
        Activity::Waits(wait) => Some(wait),
        _ => None,
    };
    let is_marked = wait.is_some_and(|wait| wait.marked);
    let is_unmarked =
        wait.is_some_and(|wait| !wait.marked && !may_wait_for_a_channel(record, wait));
    // It is the other thread that has to stop, and usually will.
    let joins = is_unmarked && matches!(wait, Some(Wait { on: Some(WaitsFor::Thread { .. }), .. }));
    let in_region = record.region.is_watched();
    let needs_signal = is_marked || in_region;
    let runs = matches!(activity, Activity::Runs);
    let swallowed = record.known.swallowed() > MANY;
    // mutant: obstacles
    let found = [
        (Obstacle::Frozen, is_asked && matches!(activity, Activity::Frozen)),
        (Obstacle::Traced, is_asked && matches!(activity, Activity::Traced)),
        (Obstacle::Shielded, is_hidden),
        // It may give up at once.
        (Obstacle::Foreign, is_asked && in_region),
        (Obstacle::NotMarked, is_unmarked && !joins && !in_region && !is_hidden),
        (Obstacle::Joins, is_asked && joins && !in_region && !is_hidden),
        (Obstacle::Swallowed, is_asked && swallowed),
        // It may come by one.
        (Obstacle::NoCheckpoint, is_asked && runs && !swallowed && !in_region && !is_hidden),
        // Without windows the runtime blocks it itself, except in the wait.
        (Obstacle::SignalBlocked, blocked && needs_signal && record.has_window()),
        (Obstacle::HandlerReplaced, needs_signal && action::is_replaced()),
        (Obstacle::Uninterruptible, wait.is_some_and(|wait| wait.uninterruptible)),
    ];
    found.into_iter().filter_map(|(obstacle, is_there)| is_there.then_some(obstacle)).collect()
}

/// A thread that waits for channels of `crossbeam_channel` parks as std does, and is woken
/// by a message.
pub(super) fn may_wait_for_a_channel(record: &Record, wait: &Wait) -> bool {
    #[cfg(feature = "crossbeam-channel")]
    if record.hinted.load(core::sync::atomic::Ordering::Relaxed) {
        return matches!(wait.on, Some(WaitsFor::Futex { .. }));
    }
    let _ = (record, wait);
    false
}
