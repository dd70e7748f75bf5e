//! Entering and leaving scopes and shields.
//!
//! # Safety
//!
//! The invariant of [`stack`](super::stack) holds here too.

#![allow(unsafe_code)]

use super::cell::{REQUESTED, SPREAD, ScopeCell, ScopeRef};
use super::clock::{self, NEVER};
use super::look::look;
use super::stack::{Entry, HIDDEN, Kind, SHIELDS, TOP, is_shielded};
use super::visible::Saved;
use crate::foreign;
use crate::runtime::record::Record;
use crate::runtime::slot;
use core::cell::Cell;
use core::ptr;
use core::sync::atomic::Ordering;

impl Entry {
    /// Whether an error that leaves this scope is its own: it has stopped a call, and
    /// no scope outside of it is stopped. After it has been left.
    pub(crate) fn owns_the_stop(&self) -> bool {
        // mutant: region-that-was-ended-is-timed-out
        if !self.has_stopped.get() && !self.has_ended_region.get() && !self.is_late_in_region() {
            return false;
        }
        // It passes on, and the outer one is to know it as its own.
        // mutant: outer-stop-passes-on
        !look().take()
    }

    /// Whether its time is over, in a region that it has not left, and whose calls are ended
    /// or were.
    fn is_late_in_region(&self) -> bool {
        let in_region = |record: &Record| record.region.is_open() && !record.region.is_untouched();
        slot::own().is_some_and(in_region)
            && matches!(self.kind, Kind::Until(deadline, _) if deadline <= clock::now())
    }
}

/// A scope that the thread is in, until it is dropped.
pub(crate) struct Inside<'entry> {
    entry: &'entry Entry,
    /// None where nothing can be requested of the thread: late in its end.
    record: Option<&'entry Record>,
    saved: Saved,
    /// The deadline was made an earlier one.
    lowered: bool,
}

impl<'entry> Inside<'entry> {
    /// Enters a scope with this deadline, which has passed already if it `is_late`, on the
    /// thread that has this record. The entry is not moved until this is dropped.
    // Two functions for the two kinds, inlined: `within` is to cost no more than the
    // reading of its clock and a few stores.
    #[inline(always)]
    pub(crate) fn until(
        record: Option<&'entry Record>,
        entry: &'entry Entry,
        deadline: u64,
        is_late: bool,
    ) -> Inside<'entry> {
        let mut inside = Inside::enter(record, entry);
        inside.limit(deadline, is_late);
        inside
    }

    /// The same with the scope that this cell is, which the caller holds.
    #[inline]
    pub(crate) fn run(
        record: Option<&'entry Record>,
        entry: &'entry Entry,
        cell: &ScopeCell,
    ) -> Inside<'entry> {
        let mut inside = Inside::enter(record, entry);
        if let Some(record) = record {
            inside.publish(record, cell);
        }
        inside
    }

    #[inline(always)]
    fn enter(record: Option<&'entry Record>, entry: &'entry Entry) -> Inside<'entry> {
        let saved = record.map_or(Saved::NOTHING, |record| record.visible.saved());
        TOP.with(|top| entry.outer.set(top.replace(entry)));
        Inside { entry, record, saved, lowered: false }
    }

    #[inline(always)]
    fn limit(&mut self, deadline: u64, is_late: bool) {
        let Some(record) = self.record else { return };
        if deadline < self.saved.deadline {
            self.lowered = true;
            record.arm(deadline);
        }
        // mutant: passed-deadline-is-seen-on-entry
        if is_late {
            foreign::raise(record);
        }
    }

    #[inline]
    fn publish(&mut self, record: &Record, cell: &ScopeCell) {
        if cell.record().is_some_and(|owner| !ptr::eq(owner, record)) {
            cell.set(SPREAD);
        }
        // mutant: scope-published-before-look
        record.publish(cell);
        let mut earliest = NEVER;
        let requested = cell.find(&mut |cell| {
            earliest = earliest.min(cell.deadline.load(Ordering::SeqCst));
            cell.has(REQUESTED).then_some(())
        });
        // mutant: entering-looks-at-scope
        if requested.is_some() {
            foreign::raise(record);
        }
        if earliest != NEVER {
            self.limit(earliest, earliest <= clock::now());
        }
    }
}

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let top = TOP.with(|top| top.replace(self.entry.outer.get()));
        // mutant: scope-that-is-left-is-innermost
        if !ptr::eq(top, self.entry) {
            not_the_innermost();
        }
        let Some(record) = self.record else { return };
        record.restore(&self.saved);
        // mutant: outer-deadline-comes-back
        if self.lowered {
            record.arm(self.saved.deadline);
        }
    }
}

/// Hides the scopes around it, until it is dropped: on the thread that made it, and the
/// innermost first.
#[derive(Debug)]
pub struct Shield {
    outer: *const Entry,
    hidden: u64,
    /// None if the thread had no record then.
    saved: Option<Saved>,
}

impl Shield {
    pub(crate) fn enter() -> Shield {
        let record = slot::own();
        let saved = record.map(|record| record.visible.saved());
        if let Some(record) = record {
            // mutant: shield-hides-from-requesters
            record.hide_outer();
        }
        SHIELDS.with(|shields| shields.set(shields.get() + 1));
        let earliest = saved.map_or(NEVER, |saved| saved.deadline);
        let hidden = HIDDEN.with(|hidden| hidden.replace(hidden.get().min(earliest)));
        Shield { outer: TOP.with(|top| top.replace(ptr::null())), hidden, saved }
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        if !TOP.with(|top| top.replace(self.outer)).is_null() {
            not_the_innermost();
        }
        HIDDEN.with(|hidden| hidden.set(self.hidden));
        let left = SHIELDS.with(|shields| shields.replace(shields.get() - 1)) - 1;
        if let Some(record) = slot::own() {
            match self.saved {
                // mutant: visible-again-before-look
                Some(saved) => record.restore_outer(&saved),
                // mutant: outermost-shield-holds
                None if left == 0 => record.clear_visible(),
                None => {}
            }
            // mutant: leaving-shield-looks
            record.raise_if_stopped();
        }
    }
}

/// The thread has a record from now on, perhaps in the midst of a shield.
pub(crate) fn take_over(record: &Record) {
    // mutant: shield-holds-while-registering
    if is_shielded() {
        record.hide_outer();
    }
}

/// By a jump over frames, or by a stack that was changed meanwhile: what the thread
/// runs under is not known any more.
#[cold]
fn not_the_innermost() -> ! {
    eprintln!("stopruntime: a scope was left that is not the innermost one of its thread");
    std::process::abort();
}

/// The innermost scope of the calling code, which has a record; none if that is the
/// thread's own. One with a deadline alone gets a cell.
pub(crate) fn innermost() -> Option<ScopeRef> {
    let record = slot::own()?;
    let top = TOP.with(Cell::get);
    // SAFETY: the module's invariant.
    match unsafe { top.as_ref() } {
        Some(Entry { kind: Kind::Until(deadline, cell), .. }) => {
            let cell = cell.get_or_init(|| {
                let cell = joined(record, *deadline);
                record.publish(&cell);
                cell
            });
            Some(cell.clone())
        }
        // SAFETY: held by the caller of `run`.
        Some(Entry { kind: Kind::Run(cell), .. }) => Some(unsafe { ScopeRef::of(&**cell) }),
        // What a shield hides.
        None => record.innermost(),
    }
}

/// A scope that is stopped with all that the calling code can see.
pub(crate) fn joined_with_all() -> ScopeRef {
    match slot::own() {
        // mutant: scope-of-threads-stands-under
        Some(record) => joined(record, NEVER),
        None => ScopeRef::new([], NEVER),
    }
}

/// A scope that is stopped with all that the thread can see, and at this time.
fn joined(record: &Record, deadline: u64) -> ScopeRef {
    let mut parents: Vec<ScopeRef> = Vec::new();
    record.each_visible(|cell| {
        if !parents.iter().any(|parent| parent.is_under(&cell)) {
            parents.push(cell);
        }
    });
    // Two parents each: the others are linked.
    while parents.len() > 2 {
        let pair = parents.drain(..2).collect::<Vec<_>>();
        parents.push(ScopeRef::new(pair, NEVER));
    }
    ScopeRef::new(parents, deadline.min(record.visible.saved().deadline))
}
