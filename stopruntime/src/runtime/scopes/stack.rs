//! What a thread runs under, as the thread itself knows it: entries on its stack,
//! linked from the innermost outwards, which no other thread reads.
//!
//! # Safety
//!
//! The invariant of this module: [`TOP`] is null or points to an entry on the stack
//! of its thread, which stands above all entries that it links to; an entry is taken off
//! before its frame is left, by a destructor in that frame.

#![allow(unsafe_code)]

use super::cell::{ScopeCell, ScopeRef};
use super::clock::NEVER;
use super::reason::{Cause, Reason};
use core::cell::{Cell, OnceCell};
use core::ptr;

thread_local! {
    pub(super) static TOP: Cell<*const Entry> = const { Cell::new(ptr::null()) };
    /// How many shields the thread is in. An entry outside of the innermost one is not
    /// linked from inside of it.
    pub(super) static SHIELDS: Cell<u32> = const { Cell::new(0) };
    /// The earliest deadline that shields hide.
    pub(super) static HIDDEN: Cell<u64> = const { Cell::new(NEVER) };
    /// Why the last call of this thread that was stopped has been.
    pub(super) static LAST: Cell<Stop> = const { Cell::new(Stop::REQUESTED) };
}

/// Why a call is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stop {
    pub(crate) cause: Cause,
    pub(crate) reason: Option<Reason>,
}

impl Stop {
    pub(super) const REQUESTED: Stop = Stop { cause: Cause::Requested, reason: None };
    pub(super) const DEADLINE: Stop = Stop { cause: Cause::Deadline, reason: None };
}

/// Why the calling thread has just been stopped.
pub(crate) fn last_stop() -> Stop {
    LAST.with(Cell::get)
}

pub(crate) struct Entry {
    pub(super) outer: Cell<*const Entry>,
    pub(super) kind: Kind,
    /// It has stopped a call, as the outermost one that was stopped.
    pub(super) has_stopped: Cell<bool>,
    /// It has ended calls of a foreign region, likewise.
    pub(super) has_ended_region: Cell<bool>,
}

pub(super) enum Kind {
    /// The caller of `run` holds the cell.
    Run(*const ScopeCell),
    /// With a cell from when it was asked for one.
    Until(u64, OnceCell<ScopeRef>),
}

impl Entry {
    const fn new(kind: Kind) -> Entry {
        let (has_stopped, has_ended_region) = (Cell::new(false), Cell::new(false));
        Entry { outer: Cell::new(ptr::null()), kind, has_stopped, has_ended_region }
    }

    #[inline]
    pub(crate) const fn until(deadline: u64) -> Entry {
        Entry::new(Kind::Until(deadline, OnceCell::new()))
    }

    #[inline]
    pub(crate) const fn run(cell: &ScopeCell) -> Entry {
        Entry::new(Kind::Run(ptr::from_ref(cell)))
    }

    pub(super) fn cell(&self) -> Option<&ScopeCell> {
        match &self.kind {
            // SAFETY: held by the caller of `run`, which has not returned.
            Kind::Run(cell) => Some(unsafe { &**cell }),
            Kind::Until(_, cell) => cell.get().map(|cell| &**cell),
        }
    }
}

/// Whether the thread is in a shield.
pub(crate) fn is_shielded() -> bool {
    SHIELDS.with(Cell::get) != 0
}

/// The thread ends: what is still on its stack is not left any more.
pub(crate) fn forget_all() {
    TOP.with(|top| top.set(ptr::null()));
    SHIELDS.with(|shields| shields.set(0));
    HIDDEN.with(|hidden| hidden.set(NEVER));
}
