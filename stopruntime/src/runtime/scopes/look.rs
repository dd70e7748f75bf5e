//! The flag of a thread is a hint, this is the truth: a thread whose flag is set looks
//! whether a scope that it can see is stopped.
//!
//! # Safety
//!
//! The invariant of [`stack`](super::stack) holds here too.

#![allow(unsafe_code)]

use super::cell::{REQUESTED, ScopeCell};
use super::clock::{self, NEVER};
use super::news;
use super::reason::Cause;
use super::stack::{Entry, HIDDEN, Kind, LAST, Stop, TOP, is_shielded};
use super::{LOOK, LOOKED, request};
use crate::event;
use crate::foreign;
use crate::runtime::record::Record;
use crate::runtime::slot;
use core::cell::Cell;
use core::sync::atomic::{Ordering, fence};

/// What a look at the scopes of the thread has found.
#[must_use]
pub(crate) struct Look {
    /// The outermost visible scope that is stopped: its entry, none if it is the
    /// thread's own.
    stopped: Option<(Option<*const Entry>, Stop)>,
    /// The earliest deadline of the visible cells that has not passed.
    later: u64,
    /// A stop signal has come since the thread has settled, or was about to.
    pub(crate) met_a_signal: bool,
}

/// Looks at the scopes up to the nearest shield.
pub(super) fn look() -> Look {
    let mut clock = None;
    // mutant: clock-of-looks-is-the-helpers
    let mut passed =
        |deadline: u64| deadline != NEVER && deadline <= *clock.get_or_insert_with(clock::now);
    let mut look = Look { stopped: None, later: NEVER, met_a_signal: false };
    let mut at = TOP.with(Cell::get);
    // SAFETY: the module's invariant.
    while let Some(entry) = unsafe { at.as_ref() } {
        let mut stop = entry.cell().and_then(|cell| stop_of(cell, &mut passed, &mut look.later));
        if let Kind::Until(deadline, _) = entry.kind
            && passed(deadline)
        {
            stop = Some(Stop::DEADLINE);
        }
        if let Some(stop) = stop {
            look.stopped = Some((Some(at), stop));
        }
        at = entry.outer.get();
    }
    // mutant: walk-ends-at-shield
    if is_shielded() {
        return look;
    }
    // Of one that stands in for a record as well.
    if let Some(stop) = stop_of(&slot::own_or_standing_in().own, &mut passed, &mut look.later) {
        look.stopped = Some((None, stop));
    }
    look
}

/// Whether this scope is stopped, by itself or by one above it.
fn stop_of(
    cell: &ScopeCell,
    passed: &mut impl FnMut(u64) -> bool,
    later: &mut u64,
) -> Option<Stop> {
    cell.find(&mut |cell| {
        if cell.has(REQUESTED) {
            return Some(Stop { cause: Cause::Requested, reason: cell.reason() });
        }
        let deadline = cell.deadline.load(Ordering::SeqCst);
        if passed(deadline) {
            return Some(Stop::DEADLINE);
        }
        *later = deadline.min(*later);
        None
    })
}

impl Look {
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Whether a call is to be stopped, which it is then: the scope that it stops for
    /// knows, and so does [`last_stop`].
    pub(crate) fn take(self) -> bool {
        let Some((entry, stop)) = self.stopped else { return false };
        // SAFETY: found on this thread's stack just now.
        let entry = entry.and_then(|entry| unsafe { entry.as_ref() });
        if event::ON {
            news::note(entry, stop);
        }
        if let Some(entry) = entry {
            entry.has_stopped.set(true);
        }
        LAST.with(|last| last.set(stop));
        true
    }
}

/// A region of foreign code is over whose calls were ended: the scope that did it knows, if
/// the thread is still in it.
pub(crate) fn has_ended_region() {
    if let Some((Some(entry), _)) = look().stopped {
        // SAFETY: found on this thread's stack just now.
        unsafe { &*entry }.has_ended_region.set(true);
    }
}

/// Whether any scope that encloses the calling code is stopped, whatever shields
/// there are.
pub(crate) fn any_stopped() -> bool {
    let own = slot::own_or_standing_in();
    let stopped =
        look().is_stopped() || own.own.has(REQUESTED) || is_shielded() && hidden_stopped();
    // The next marked call has to know it too, and the requester may still be about to set
    // the flag. If a shield hides the stop, this is a superfluous hint.
    // mutant: what-is-known-stands-in-flag
    if stopped && !own.stands_in() {
        own.line.flag.store(LOOK, Ordering::SeqCst);
    }
    stopped
}

#[cold]
fn hidden_stopped() -> bool {
    let mut passed = |deadline: u64| deadline != NEVER && deadline <= clock::now();
    passed(HIDDEN.with(Cell::get))
        || slot::own().is_some_and(|record| {
            record.any_open(|cell| stop_of(cell, &mut passed, &mut { NEVER }).is_some())
        })
}

/// The earliest deadline of a scope and those above it.
pub(super) fn earliest_of(scope: &ScopeCell) -> u64 {
    let mut earliest = NEVER;
    scope.find(&mut |cell| {
        earliest = earliest.min(cell.deadline.load(Ordering::SeqCst));
        None::<()>
    });
    earliest
}

/// The earliest deadline that the calling code can see.
pub(crate) fn earliest() -> u64 {
    let mut earliest = NEVER;
    let mut at = TOP.with(Cell::get);
    // SAFETY: the module's invariant.
    while let Some(entry) = unsafe { at.as_ref() } {
        if let Kind::Until(deadline, _) = entry.kind {
            earliest = earliest.min(deadline);
        }
        earliest = entry.cell().map_or(earliest, |cell| earliest.min(earliest_of(cell)));
        at = entry.outer.get();
    }
    if is_shielded() {
        earliest
    } else {
        earliest.min(earliest_of(&slot::own_or_standing_in().own))
    }
}

/// Whether a scope is stopped, by itself or by one above it.
pub(crate) fn is_stopped(scope: &ScopeCell) -> bool {
    stop_of_scope(scope).is_some()
}

/// Why a scope is stopped, if it is.
pub(crate) fn stop_of_scope(scope: &ScopeCell) -> Option<Stop> {
    let mut passed = |deadline: u64| deadline != NEVER && deadline <= clock::now();
    stop_of(scope, &mut passed, &mut { NEVER })
}

impl Record {
    /// The look of a thread whose flag is set, outside of a marked call or after it has
    /// settled. What it finds stands in the flag as well.
    pub(crate) fn evaluate(&self) -> Look {
        if self.stands_in() {
            // Shared by many threads: no request reaches it.
            return look();
        }
        let flag = &self.line.flag;
        // Before the look: a request that comes after it sets the flag again.
        // mutant: has-looked-is-said-before-look
        flag.store(LOOKED, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        // mutant: looks-at-scopes
        let mut look = look();
        // This and the other deadline: in a forked child there is no helper yet that knows
        // of them. Elsewhere the helper puts the next one there itself.
        // mutant: next-far-deadline-is-put-back
        self.arm_far(look.later);
        if look.is_stopped() {
            // mutant: stop-that-is-found-stands-in-flag
            foreign::raise(self);
        } else {
            self.arm(self.visible.saved().deadline);
            look.met_a_signal = request::drop_hint(self);
        }
        look
    }

    /// Whether a marked call or a checkpoint stops now; if so, it does.
    pub(crate) fn must_stop(&self) -> bool {
        // mutant: flag-is-a-hint
        self.line.flag.load(Ordering::Acquire) == LOOK && self.evaluate().take()
    }

    /// The thread begins: what its own scope stands under may have a deadline, or be
    /// stopped already.
    pub(crate) fn begin_under(&self) {
        self.arm(earliest_of(&self.own));
        self.raise_if_stopped();
    }

    /// What has appeared may have been stopped while it was hidden.
    pub(super) fn raise_if_stopped(&self) {
        fence(Ordering::SeqCst);
        let look = look();
        self.arm_far(look.later);
        if look.is_stopped() {
            foreign::raise(self);
        }
    }
}
