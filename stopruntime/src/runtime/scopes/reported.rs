//! What reports say of a thread's scopes, looked at from another thread that takes its
//! time: it holds each scope while it looks.
//!
//! # Safety
//!
//! The invariant of [`visible`](super::visible) holds here too.

#![allow(unsafe_code)]

use super::cell::{REQUESTED, ScopeCell, ScopeRef};
use super::clock;
use super::reason::{Cause, Reason};
use super::visible::Range;
use crate::runtime::record::Record;
use core::sync::atomic::Ordering;
use core::time::Duration;

/// A stop that concerns a thread.
pub(crate) struct Concern {
    pub(crate) cause: Cause,
    pub(crate) reason: Option<Reason>,
    /// How long ago; none if it was before the thread began.
    pub(crate) age: Option<Duration>,
    /// A shield hides it.
    pub(crate) is_hidden: bool,
}

impl Record {
    /// The outermost stop that the thread can see; else one that a shield hides.
    pub(crate) fn concern(&self) -> Option<Concern> {
        let range = self.range();
        let concern = |number| self.held(number).and_then(|cell| concern_of(&cell));
        let visible = (range.first..range.end).find_map(concern);
        let hidden = || {
            let found = (0..range.first).find_map(concern);
            found.map(|concern| Concern { is_hidden: true, ..concern })
        };
        visible.or_else(|| passed(self.visible.deadline.load(Ordering::SeqCst))).or_else(hidden)
    }

    /// Whether the thread runs under this scope, in a shield as well.
    pub(crate) fn stands_under(&self, scope: &ScopeCell) -> bool {
        (0..self.range().end)
            .filter_map(|number| self.held(number))
            .any(|cell| cell.is_under(scope))
    }

    fn range(&self) -> Range {
        Range::unpack(self.visible.range.load(Ordering::Acquire))
    }

    /// The cell with this number, held; none if the thread has left it.
    fn held(&self, number: usize) -> Option<ScopeRef> {
        let held = ScopeRef::if_held(self.cell(number)?)?;
        // It may have been another thread's by the time that it was held.
        let is_there = || self.cell(number).is_some_and(|cell| core::ptr::eq(cell, held.as_ptr()));
        (number < self.range().end && is_there()).then_some(held)
    }
}

/// Why a scope is stopped, if it is, by itself or by one above it.
fn concern_of(cell: &ScopeCell) -> Option<Concern> {
    cell.find(&mut |cell| {
        if cell.has(REQUESTED) {
            let (reason, age) = (cell.reason(), cell.since.age());
            return Some(Concern { cause: Cause::Requested, reason, age, is_hidden: false });
        }
        passed(cell.deadline.load(Ordering::SeqCst))
    })
}

fn passed(deadline: u64) -> Option<Concern> {
    let age = Some(Duration::from_nanos(clock::now().checked_sub(deadline)?));
    Some(Concern { cause: Cause::Deadline, reason: None, age, is_hidden: false })
}
