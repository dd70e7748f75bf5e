//! How requesters and the helper of deadlines see the scopes that a thread runs under.
//! Async-signal-safe.
//!
//! # Safety
//!
//! The invariant of [`visible`](super::visible) holds here too.

#![allow(unsafe_code)]

use super::cell::{REQUESTED, ScopeCell};
use super::clock::{self, Deadline, NEVER};
use super::visible::Range;
use crate::runtime::record::Record;
use core::sync::atomic::Ordering;

impl Record {
    /// Whether the thread's own scope is visible: it is in no shield.
    pub(crate) fn sees_own(&self) -> bool {
        Range::unpack(self.visible.range.load(Ordering::Acquire)).first == 0
    }

    /// Whether the thread runs visibly under this scope.
    pub(crate) fn runs_under(&self, scope: &ScopeCell) -> bool {
        let mask = scope.mask();
        self.visible.filter.load(Ordering::Acquire) & mask == mask
            && self.any_visible(|cell| cell.is_under(scope))
    }

    /// Whether the thread runs under a scope whose deadline has passed at this time.
    pub(super) fn is_overdue(&self, now: u64) -> bool {
        let passed = |deadline: &Deadline| deadline.load(Ordering::SeqCst) <= now;
        passed(&self.visible.deadline)
            || self.any_visible(|cell| {
                cell.find(&mut |cell| passed(&cell.deadline).then_some(())).is_some()
            })
    }

    /// The earliest deadline after this time that others have put on a scope which the
    /// thread runs under.
    pub(super) fn next_deadline(&self, now: u64) -> u64 {
        let mut earliest = NEVER;
        self.any_visible(|cell| {
            let found = cell.find(&mut |cell| {
                let deadline = cell.deadline.load(Ordering::SeqCst);
                if deadline > now {
                    earliest = earliest.min(deadline);
                }
                None::<()>
            });
            found.is_some()
        });
        earliest
    }

    /// Whether something that the thread can see is stopped: for its own handlers, which
    /// must not touch a thread-local.
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")),
        allow(dead_code, reason = "no way")
    )]
    pub(crate) fn sees_a_stop(&self) -> bool {
        self.any_visible(|cell| cell.find(&mut |cell| cell.has(REQUESTED).then_some(())).is_some())
            || self.is_overdue(clock::now())
    }

    fn any_visible(&self, is: impl FnMut(&ScopeCell) -> bool) -> bool {
        let Range { first, end } = Range::unpack(self.visible.range.load(Ordering::Acquire));
        (first..end).filter_map(|number| self.cell(number)).any(is)
    }

    pub(super) fn cell(&self, number: usize) -> Option<&ScopeCell> {
        if number == 0 {
            return Some(&self.own);
        }
        // SAFETY: null or a cell, no matter which thread has it by now: they are never freed.
        unsafe { self.cells.place(number)?.load(Ordering::Acquire).as_ref() }
    }
}
