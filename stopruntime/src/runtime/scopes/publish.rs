//! How a thread publishes the scopes that it runs under.
//!
//! # Safety
//!
//! The invariant of [`visible`](super::visible) holds here too.

#![allow(unsafe_code)]

use super::cell::{ScopeCell, ScopeRef};
use super::clock::NEVER;
use super::helper;
use super::visible::{Range, Saved};
use crate::runtime::record::Record;
use crate::runtime::signal::order;
use core::ptr;
use core::sync::atomic::Ordering;

impl Record {
    /// The scopes that it runs under, hidden ones as well.
    pub(super) fn any_open(&self, is: impl FnMut(&ScopeCell) -> bool) -> bool {
        let Range { end, .. } = Range::unpack(self.visible.range.load(Ordering::Relaxed));
        (0..end).filter_map(|number| self.cell(number)).any(is)
    }

    /// The innermost cell, visible or not, except its own.
    pub(super) fn innermost(&self) -> Option<ScopeRef> {
        let Range { end, .. } = Range::unpack(self.visible.range.load(Ordering::Relaxed));
        let cell = if end > 1 { self.cell(end - 1) } else { None };
        // SAFETY: what the thread runs under is held by the callers.
        cell.map(|cell| unsafe { ScopeRef::of(cell) })
    }

    /// All that is visible, from the innermost on.
    pub(super) fn each_visible(&self, mut each: impl FnMut(ScopeRef)) {
        let Range { first, end } = Range::unpack(self.visible.range.load(Ordering::Relaxed));
        for cell in (first..end).rev().filter_map(|number| self.cell(number)) {
            // SAFETY: as above; and the thread has a count of its own.
            each(unsafe { ScopeRef::of(cell) });
        }
    }

    /// Runs under this cell from now on, until [`Record::restore`].
    #[inline]
    pub(super) fn publish(&self, cell: &ScopeCell) {
        let range = self.visible.range.load(Ordering::Relaxed);
        let place = self.cells.place_for(Range::unpack(range).end);
        // Release: a requester that has read the range of an earlier scope may look at this
        // place, and the cell that it finds there is to be one.
        place.store(ptr::from_ref(cell).cast_mut(), Ordering::Release);
        let filter = self.visible.filter.load(Ordering::Relaxed) | cell.mask();
        // The filter first, so that it has the bits of all that is in the range.
        self.visible.filter.store(filter, Ordering::Release);
        self.visible.range.store(range + 1, Ordering::Release);
        order();
    }

    /// Hides all there is.
    #[inline]
    pub(super) fn hide_outer(&self) {
        let Range { end, .. } = Range::unpack(self.visible.range.load(Ordering::Relaxed));
        self.visible.range.store(Range { first: end, end }.pack(), Ordering::Release);
        self.visible.filter.store(0, Ordering::Release);
        self.visible.deadline.store(NEVER, Ordering::Relaxed);
    }

    /// Puts back which scopes are visible, after a scope inside of them.
    #[inline]
    pub(super) fn restore(&self, saved: &Saved) {
        self.visible.range.store(saved.range, Ordering::Release);
        self.visible.filter.store(saved.filter, Ordering::Release);
    }

    /// The same after a shield: what appears is to be looked at afterwards.
    pub(super) fn restore_outer(&self, saved: &Saved) {
        self.visible.filter.store(saved.filter, Ordering::Release);
        self.visible.range.store(saved.range, Ordering::Release);
        self.arm(saved.deadline);
    }

    /// Makes this the thread's earliest deadline, and sees to it that the helper wakes
    /// up by then. Also on the way out of a scope: the outer one's deadline comes back,
    /// and the helper may have planned without it.
    #[inline]
    pub(super) fn arm(&self, deadline: u64) {
        // mutant: deadline-told-before-look
        self.visible.deadline.store(deadline, Ordering::Relaxed);
        order();
        // mutant: earlier-deadline-wakes-helper
        if deadline < helper::next() {
            helper::wake(Some(self), deadline);
        }
    }

    /// A deadline that others have put on a visible scope.
    pub(super) fn arm_far(&self, deadline: u64) {
        if deadline != NEVER {
            self.visible.far.fetch_min(deadline, Ordering::SeqCst);
            if deadline < helper::next() {
                helper::wake(None, deadline);
            }
        }
    }
}
