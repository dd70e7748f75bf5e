//! What a thread runs under, as its record tells others: plain stores of the thread,
//! which requesters and the helper of deadlines read.
//!
//! | word | meaning |
//! |---|---|
//! | `range` | the visible scopes: from the innermost shield to the innermost scope |
//! | the cells | 0 is the thread's own, the others those of [`run`](crate::Stopper::run), outermost first |
//! | `filter` | the bits of all visible scopes and those above them; no false negative |
//! | `deadline` | the earliest visible one, known when its scope was entered |
//! | `far` | a mere timer: the earliest that others have put on a visible scope since |
//!
//! Nothing is linked, nothing is locked: entering a scope is a store of its cell, of
//! the filter and of the range, in this order, and then a look at whether the scope
//! is stopped. A requester sets the scope's state, makes all threads pass a barrier
//! and looks at the records. So one of both sees the other. Leaving is two stores.
//!
//! What is read of another thread's record may be of several moments. It decides
//! whose flag is set, which is a hint, and who is signalled: for that it is looked at
//! again after the marker, and the [claim](crate::runtime::claim) succeeds only if
//! the thread has been in one and the same call meanwhile.
//!
//! # Safety
//!
//! The invariant of this module: cells are never freed (see the pool), and further
//! room for them stays with its record.

#![allow(unsafe_code)]

use super::cell::{ScopeCell, ScopeRef};
use super::clock::{Deadline, NEVER};
use super::helper;
use crate::runtime::record::Record;
use crate::runtime::signal;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, compiler_fence, fence};

/// How many cells have room in the record itself.
const NEAR: usize = 8;
/// How many there are in each further piece of room.
const FURTHER: usize = 64;

/// The words that every requester and the helper look at.
pub(crate) struct Visible {
    pub(super) deadline: Deadline,
    pub(super) far: Deadline,
    range: AtomicUsize,
    filter: AtomicUsize,
}

/// The rest.
pub(crate) struct Cells {
    near: [AtomicPtr<ScopeCell>; NEAR],
    further: AtomicPtr<Further>,
    /// The deadline that the helper has told the thread of; the helper's own.
    pub(super) told: Deadline,
}

struct Further {
    cells: [AtomicPtr<ScopeCell>; FURTHER],
    next: AtomicPtr<Further>,
}

/// From the first to the last, which is not one of them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    first: usize,
    end: usize,
}

const HALF: u32 = usize::BITS / 2;

impl Range {
    const fn unpack(word: usize) -> Range {
        Range { first: word >> HALF, end: word & ((1 << HALF) - 1) }
    }

    const fn pack(self) -> usize {
        self.first << HALF | self.end
    }
}

/// The thread's own scope alone.
const ROOT: usize = Range { first: 0, end: 1 }.pack();

/// What a scope found as it was entered, to be put back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    range: usize,
    filter: usize,
    pub(super) deadline: u64,
}

impl Saved {
    pub(super) const NOTHING: Saved = Saved { range: ROOT, filter: 0, deadline: NEVER };
}

impl Visible {
    pub(crate) const fn new() -> Visible {
        Visible {
            deadline: Deadline::new(NEVER),
            far: Deadline::new(NEVER),
            range: AtomicUsize::new(ROOT),
            filter: AtomicUsize::new(0),
        }
    }
}

impl Cells {
    pub(crate) const fn new() -> Cells {
        Cells {
            near: [const { AtomicPtr::new(ptr::null_mut()) }; NEAR],
            further: AtomicPtr::new(ptr::null_mut()),
            told: Deadline::new(NEVER),
        }
    }

    /// The place of the cell with this number, from 1 on; none if there is no room.
    fn place(&self, number: usize) -> Option<&AtomicPtr<ScopeCell>> {
        let index = number - 1;
        if index < NEAR {
            return Some(&self.near[index]);
        }
        let mut left = index - NEAR;
        let mut further = &self.further;
        loop {
            // SAFETY: the module's invariant.
            let room = unsafe { further.load(Ordering::Acquire).as_ref() }?;
            if left < FURTHER {
                return Some(&room.cells[left]);
            }
            left -= FURTHER;
            further = &room.next;
        }
    }

    /// As [`Cells::place`], on the thread itself: makes the room.
    #[inline]
    fn place_for(&self, number: usize) -> &AtomicPtr<ScopeCell> {
        if number <= NEAR { &self.near[number - 1] } else { self.make_room(number) }
    }

    #[cold]
    fn make_room(&self, number: usize) -> &AtomicPtr<ScopeCell> {
        assert!(number < 1 << HALF, "stopruntime: too many scopes inside of each other");
        loop {
            if let Some(place) = self.place(number) {
                return place;
            }
            let mut further = &self.further;
            // SAFETY: the module's invariant.
            while let Some(room) = unsafe { further.load(Ordering::Relaxed).as_ref() } {
                further = &room.next;
            }
            let room = Box::new(Further {
                cells: [const { AtomicPtr::new(ptr::null_mut()) }; FURTHER],
                next: AtomicPtr::new(ptr::null_mut()),
            });
            further.store(Box::into_raw(room), Ordering::Release);
        }
    }
}

/// Between a store that others look for and a look at what they store.
#[inline]
fn order() {
    if signal::is_ordered_by_others() {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

impl Record {
    // ---- requesters and the helper; async-signal-safe ----

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

    fn any_visible(&self, is: impl FnMut(&ScopeCell) -> bool) -> bool {
        let Range { first, end } = Range::unpack(self.visible.range.load(Ordering::Acquire));
        (first..end).filter_map(|number| self.cell(number)).any(is)
    }

    fn cell(&self, number: usize) -> Option<&ScopeCell> {
        if number == 0 {
            return Some(&self.own);
        }
        // SAFETY: null or a cell, whoever has it by now: they are never freed.
        unsafe { self.cells.place(number)?.load(Ordering::Acquire).as_ref() }
    }

    // ---- the thread itself ----

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

    /// Nothing but its own scope: when the record is taken, and when the thread ends.
    pub(crate) fn clear_visible(&self) {
        self.visible.range.store(ROOT, Ordering::Release);
        self.visible.filter.store(self.own.mask(), Ordering::Release);
        self.visible.deadline.store(NEVER, Ordering::Relaxed);
        self.visible.far.store(NEVER, Ordering::Relaxed);
    }

    /// In a forked child, whose thread this is not: it runs under nothing.
    pub(super) fn hide(&self) {
        self.visible.range.store(0, Ordering::Relaxed);
        self.visible.filter.store(0, Ordering::Relaxed);
        self.visible.deadline.store(NEVER, Ordering::Relaxed);
        self.visible.far.store(NEVER, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn saved(&self) -> Saved {
        Saved {
            range: self.visible.range.load(Ordering::Relaxed),
            filter: self.visible.filter.load(Ordering::Relaxed),
            deadline: self.visible.deadline.load(Ordering::Relaxed),
        }
    }

    /// Runs under this cell from now on, until [`Record::restore`].
    #[inline]
    pub(super) fn publish(&self, cell: &ScopeCell) {
        let range = self.visible.range.load(Ordering::Relaxed);
        let place = self.cells.place_for(Range::unpack(range).end);
        place.store(ptr::from_ref(cell).cast_mut(), Ordering::Relaxed);
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
        self.visible.deadline.store(deadline, Ordering::Relaxed);
        order();
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
