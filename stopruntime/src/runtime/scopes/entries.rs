//! What a thread runs under, as the thread itself knows it: entries on its stack,
//! linked from the innermost outwards, which no other thread reads.
//!
//! The flag is a hint, this is the truth: a thread whose flag is set looks here
//! whether a scope that it can see is stopped.
//!
//! # Safety
//!
//! The invariant of this module: [`TOP`] is null or points to an entry on the stack
//! of its thread, below which stand all that it links to; an entry is taken off
//! before its frame is left, by the destructor of what put it on.

#![allow(unsafe_code)]

use super::cell::{REQUESTED, SPREAD, ScopeCell, ScopeRef};
use super::clock::{self, NEVER};
use super::reason::{Cause, Reason};
use super::visible::Saved;
use super::{LOOK, LOOKED, request};
use crate::runtime::current;
use crate::runtime::record::Record;
use core::cell::{Cell, OnceCell};
use core::ptr;
use core::sync::atomic::{Ordering, fence};

thread_local! {
    static TOP: Cell<*const Entry> = const { Cell::new(ptr::null()) };
    /// How many shields the thread is in. An entry outside of the innermost one is not
    /// linked from inside of it.
    static SHIELDS: Cell<u32> = const { Cell::new(0) };
    /// The earliest deadline that shields hide.
    static HIDDEN: Cell<u64> = const { Cell::new(NEVER) };
    /// Why the last call of this thread that was stopped has been.
    static LAST: Cell<Stop> = const { Cell::new(Stop::REQUESTED) };
}

/// Why a call is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) cause: Cause,
    pub(crate) reason: Option<Reason>,
}

impl Stop {
    const REQUESTED: Stop = Stop { cause: Cause::Requested, reason: None };
    const DEADLINE: Stop = Stop { cause: Cause::Deadline, reason: None };
}

/// Why the calling thread has just been stopped.
pub(crate) fn last_stop() -> Stop {
    LAST.with(Cell::get)
}

pub(crate) struct Entry {
    outer: Cell<*const Entry>,
    kind: Kind,
    /// It has stopped a call, as the outermost one that was stopped.
    has_stopped: Cell<bool>,
}

enum Kind {
    /// The caller of `run` holds the cell.
    Run(*const ScopeCell),
    /// With a cell from when it was asked for one.
    Until(u64, OnceCell<ScopeRef>),
}

impl Entry {
    const fn new(kind: Kind) -> Entry {
        Entry { outer: Cell::new(ptr::null()), kind, has_stopped: Cell::new(false) }
    }

    #[inline]
    pub(crate) const fn until(deadline: u64) -> Entry {
        Entry::new(Kind::Until(deadline, OnceCell::new()))
    }

    #[inline]
    pub(crate) const fn run(cell: &ScopeCell) -> Entry {
        Entry::new(Kind::Run(ptr::from_ref(cell)))
    }

    /// Whether an error that leaves this scope is its own: it has stopped a call, and
    /// no scope outside of it is stopped. After it has been left.
    pub(crate) fn owns_the_stop(&self) -> bool {
        if !self.has_stopped.get() {
            return false;
        }
        // It passes on, and the outer one is to know it as its own.
        !look().take()
    }

    fn cell(&self) -> Option<&ScopeCell> {
        match &self.kind {
            // SAFETY: held by the caller of `run`, which has not returned.
            Kind::Run(cell) => Some(unsafe { &**cell }),
            Kind::Until(_, cell) => cell.get().map(|cell| &**cell),
        }
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
    /// Enters the scope, whose deadline has passed already if it `is_late`. The entry
    /// is not moved until this is dropped.
    #[inline]
    pub(crate) fn enter(entry: &'entry Entry, is_late: bool) -> Inside<'entry> {
        let record = current::own_or_made();
        let saved = record.map_or(Saved::NOTHING, Record::saved);
        TOP.with(|top| entry.outer.set(top.replace(entry)));
        let mut inside = Inside { entry, record, saved, lowered: false };
        if let Some(record) = record {
            match &entry.kind {
                Kind::Until(deadline, _) => inside.until(record, *deadline, is_late),
                // SAFETY: held by the caller.
                Kind::Run(cell) => inside.run(record, unsafe { &**cell }),
            }
        }
        inside
    }

    #[inline]
    fn until(&mut self, record: &Record, deadline: u64, is_late: bool) {
        if deadline < self.saved.deadline {
            self.lowered = true;
            record.arm(deadline);
        }
        if is_late {
            record.line.flag.store(LOOK, Ordering::SeqCst);
        }
    }

    #[inline]
    fn run(&mut self, record: &Record, cell: &ScopeCell) {
        if cell.record().is_some_and(|owner| !ptr::eq(owner, record)) {
            cell.set(SPREAD);
        }
        record.publish(cell);
        let mut earliest = NEVER;
        let requested = cell.find(&mut |cell| {
            earliest = earliest.min(cell.deadline.load(Ordering::SeqCst));
            cell.has(REQUESTED).then_some(())
        });
        if requested.is_some() {
            record.line.flag.store(LOOK, Ordering::SeqCst);
        }
        if earliest != NEVER {
            self.until(record, earliest, earliest <= clock::now());
        }
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        let top = TOP.with(|top| top.replace(self.entry.outer.get()));
        if !ptr::eq(top, self.entry) {
            not_the_innermost();
        }
        let Some(record) = self.record else { return };
        match &self.entry.kind {
            Kind::Run(_) => record.restore(&self.saved),
            Kind::Until(_, cell) if cell.get().is_some() => record.restore(&self.saved),
            Kind::Until(..) => {}
        }
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
        let record = current::own();
        let saved = record.map(Record::saved);
        if let Some(record) = record {
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
        if let Some(record) = current::own() {
            match self.saved {
                Some(saved) => record.restore_outer(&saved),
                // mutant: outermost-shield-holds
                None if left == 0 => record.clear_visible(),
                None => {}
            }
            record.raise_if_stopped();
        }
    }
}

/// The thread has a record from now on, perhaps in the midst of a shield.
pub(crate) fn take_over(record: &Record) {
    // mutant: shield-holds-also-who-registers
    if is_shielded() {
        record.hide_outer();
    }
}

/// Whether the thread is in a shield.
pub(crate) fn is_shielded() -> bool {
    SHIELDS.with(Cell::get) != 0
}

/// By a jump over frames, or by a stack that was changed meanwhile: what the thread
/// runs under is not known any more.
#[cold]
fn not_the_innermost() -> ! {
    eprintln!("stopruntime: a scope was left that is not the innermost one of its thread");
    std::process::abort();
}

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
fn look() -> Look {
    let mut clock = None;
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
    if is_shielded() {
        return look;
    }
    // Of one that stands in for a record as well.
    if let Some(stop) = stop_of(&current::own_or_standing_in().own, &mut passed, &mut look.later) {
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
        if let Some(entry) = entry.and_then(|entry| unsafe { entry.as_ref() }) {
            entry.has_stopped.set(true);
        }
        LAST.with(|last| last.set(stop));
        true
    }
}

/// Whether any scope that encloses the calling code is stopped, whatever shields
/// there are.
pub(crate) fn any_stopped() -> bool {
    let stopped = look().is_stopped() || current::own_or_standing_in().own.has(REQUESTED);
    stopped || is_shielded() && hidden_stopped()
}

#[cold]
fn hidden_stopped() -> bool {
    let mut passed = |deadline: u64| deadline != NEVER && deadline <= clock::now();
    passed(HIDDEN.with(Cell::get))
        || current::own().is_some_and(|record| {
            record.any_open(|cell| stop_of(cell, &mut passed, &mut { NEVER }).is_some())
        })
}

/// The earliest deadline of a scope and those above it.
fn earliest_of(scope: &ScopeCell) -> u64 {
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
        earliest.min(earliest_of(&current::own_or_standing_in().own))
    }
}

/// Whether a scope is stopped, by itself or by one above it.
pub(crate) fn is_stopped(scope: &ScopeCell) -> bool {
    let mut passed = |deadline: u64| deadline != NEVER && deadline <= clock::now();
    stop_of(scope, &mut passed, &mut { NEVER }).is_some()
}

/// The innermost scope of the calling code, which has a record; none if that is the
/// thread's own. One with a deadline alone gets a cell.
pub(crate) fn innermost() -> Option<ScopeRef> {
    let record = current::own()?;
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
    current::registered();
    match current::own() {
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
    ScopeRef::new(parents, deadline.min(record.saved().deadline))
}

/// The thread ends: what is still on its stack is not left any more.
pub(crate) fn forget_all() {
    TOP.with(|top| top.set(ptr::null()));
    SHIELDS.with(|shields| shields.set(0));
    HIDDEN.with(|hidden| hidden.set(NEVER));
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
        flag.store(LOOKED, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let mut look = look();
        self.arm_far(look.later);
        if look.is_stopped() {
            flag.store(LOOK, Ordering::SeqCst);
        } else {
            // In a forked child there is no helper yet that knows of it.
            self.arm(self.saved().deadline);
            look.met_a_signal = request::drop_hint(self);
        }
        look
    }

    /// Whether a marked call or a checkpoint stops now; if so, it does.
    pub(crate) fn must_stop(&self) -> bool {
        self.line.flag.load(Ordering::Acquire) == LOOK && self.evaluate().take()
    }

    /// The thread begins: what its own scope stands under may have a deadline, or be
    /// stopped already.
    pub(crate) fn begin_under(&self) {
        self.arm(earliest_of(&self.own));
        self.raise_if_stopped();
    }

    /// What has appeared may have been stopped while it was hidden.
    fn raise_if_stopped(&self) {
        fence(Ordering::SeqCst);
        let look = look();
        self.arm_far(look.later);
        if look.is_stopped() {
            self.line.flag.store(LOOK, Ordering::SeqCst);
        }
    }
}
