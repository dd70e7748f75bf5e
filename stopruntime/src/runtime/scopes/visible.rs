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
//! which flag is set, which is a hint, and which thread is signalled. For that, the
//! requester looks again after the marker, and the [claim](crate::runtime::claim) succeeds only if
//! the thread has been in one and the same call meanwhile.
//!
//! # Safety
//!
//! The invariant of this module: cells are never freed (see the pool), and further
//! room for them stays with its record.

#![allow(unsafe_code)]

use super::cell::ScopeCell;
use super::clock::{Deadline, NEVER};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// How many cells have room in the record itself.
const NEAR: usize = 8;
/// How many there are in each further piece of room.
const FURTHER: usize = 64;

/// The words that every requester and the helper look at.
pub(crate) struct Visible {
    pub(super) deadline: Deadline,
    pub(super) far: Deadline,
    pub(super) range: AtomicUsize,
    pub(super) filter: AtomicUsize,
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
pub(super) struct Range {
    pub(super) first: usize,
    pub(super) end: usize,
}

const HALF: u32 = usize::BITS / 2;

impl Range {
    pub(super) const fn unpack(word: usize) -> Range {
        Range { first: word >> HALF, end: word & ((1 << HALF) - 1) }
    }

    pub(super) const fn pack(self) -> usize {
        self.first << HALF | self.end
    }
}

/// The thread's own scope alone.
pub(super) const ROOT: usize = Range { first: 0, end: 1 }.pack();

/// What a scope found as it was entered, to be put back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    pub(super) range: usize,
    pub(super) filter: usize,
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

    /// Makes only its own scope visible: when the record is taken, and when the thread ends.
    pub(in crate::runtime) fn clear(&self, mask: usize) {
        self.range.store(ROOT, Ordering::Release);
        self.filter.store(mask, Ordering::Release);
        self.deadline.store(NEVER, Ordering::Relaxed);
        self.far.store(NEVER, Ordering::Relaxed);
    }

    /// In a forked child, whose thread this is not: it runs under nothing.
    pub(super) fn hide(&self) {
        self.range.store(0, Ordering::Relaxed);
        self.filter.store(0, Ordering::Relaxed);
        self.deadline.store(NEVER, Ordering::Relaxed);
        self.far.store(NEVER, Ordering::Relaxed);
    }

    pub(super) fn has_deadline(&self) -> bool {
        [&self.deadline, &self.far].into_iter().any(|word| word.load(Ordering::Relaxed) != NEVER)
    }

    #[inline]
    pub(super) fn saved(&self) -> Saved {
        Saved {
            range: self.range.load(Ordering::Relaxed),
            filter: self.filter.load(Ordering::Relaxed),
            deadline: self.deadline.load(Ordering::Relaxed),
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
    pub(super) fn place(&self, number: usize) -> Option<&AtomicPtr<ScopeCell>> {
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
    pub(super) fn place_for(&self, number: usize) -> &AtomicPtr<ScopeCell> {
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
