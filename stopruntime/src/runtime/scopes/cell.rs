//! What is asked to stop, as requesters and threads see it: a word that says
//! whether it has been requested, a deadline, and the scopes it stands under.
//!
//! | word | values | written by |
//! |---|---|---|
//! | `state` | see [`REQUESTED`] and the ones after it | anyone, bit by bit |
//! | `deadline` | the earliest that [`request_stop_at`](crate::Stopper::request_stop_at) was given | anyone lowers it |
//! | `parents` | the scopes that it is stopped with | the one that makes it |
//! | `since` | when it was first requested, see [`Moment`] | requesters |
//! | `reason` | what the first requester said | the one that has set `REASONED` |
//!
//! Each thread's record has a cell of its own, the thread's scope. All others come
//! from a [pool](super::pool). A cell holds a count of its parents; those know
//! nothing of their children, so that ten thousand of them cost nothing. Which
//! threads run under a cell stands in their records.
//!
//! # Safety
//!
//! The invariant of this module: cells and records are never freed (see the pool),
//! a [`ScopeRef`] holds one count of its cell, and a cell with a count has parents
//! that have one as well, or none.

#![allow(unsafe_code)]

use super::clock::{Deadline, Moment, NEVER};
use super::pool::{Pool, Pooled};
use super::reason::Reason;
use core::ffi::c_int;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Bit of `state`: a stop has been requested.
pub(crate) const REQUESTED: u32 = 1;
/// Threads may run under it that its record, if it has one, does not name: it has
/// children, or is run by another thread than its own.
pub(crate) const SPREAD: u32 = 2;
/// Callbacks wait for it or for a scope below it.
pub(crate) const WATCHED: u32 = 4;
/// A requester has taken it upon itself to write the reason.
const REASONED: u32 = 8;
/// It is a thread's own, and lies in its record.
pub(super) const OF_THREAD: u32 = 16;
/// A thread has told a log of the request.
const TOLD: u32 = 32;
/// From here on: the id of the thread that has requested it, for a log. An id has 22 bits.
const REQUESTER: u32 = 8;

pub(super) static CELLS: Pool<ScopeCell> = Pool::new();

#[repr(C, align(64))]
pub(crate) struct ScopeCell {
    state: AtomicU32,
    place: u32,
    pub(super) count: AtomicUsize,
    pub(super) deadline: Deadline,
    pub(super) parents: [AtomicPtr<ScopeCell>; 2],
    /// Three bits of its own and those of all scopes above it, for a first look.
    mask: AtomicUsize,
    reason: AtomicPtr<u8>,
    reason_length: AtomicU32,
    pub(super) since: Moment,
}

#[cfg(all(target_pointer_width = "64", target_has_atomic = "64"))]
const _: () = assert!(size_of::<ScopeCell>() == 64);

// SAFETY: the place is never written again.
unsafe impl Pooled for ScopeCell {
    fn new(place: u32) -> ScopeCell {
        ScopeCell::new(place, 0)
    }

    fn place(&self) -> u32 {
        self.place
    }
}

impl ScopeCell {
    const fn new(place: u32, state: u32) -> ScopeCell {
        ScopeCell {
            state: AtomicU32::new(state),
            place,
            count: AtomicUsize::new(0),
            deadline: Deadline::new(NEVER),
            parents: [const { AtomicPtr::new(ptr::null_mut()) }; 2],
            mask: AtomicUsize::new(0),
            reason: AtomicPtr::new(ptr::null_mut()),
            reason_length: AtomicU32::new(0),
            since: Moment::new(),
        }
    }

    /// A thread's own, of a record at this place.
    pub(crate) const fn of_thread(place: u32, requested: bool) -> ScopeCell {
        ScopeCell::new(place, if requested { OF_THREAD | REQUESTED } else { OF_THREAD })
    }

    /// Its place among its kind.
    pub(crate) const fn place(&self) -> u32 {
        self.place
    }

    /// What a scope begins with that was just taken: it stands under these, two at most.
    /// A requester may still look at it as at the one before it, which makes hints only.
    pub(crate) fn begin(
        &self,
        requested: bool,
        parents: impl IntoIterator<Item = ScopeRef>,
        deadline: u64,
    ) {
        self.reason.store(ptr::null_mut(), Ordering::Relaxed);
        self.deadline.store(deadline, Ordering::Relaxed);
        self.since.clear();
        let mut mask = new_bits();
        let mut parents = parents.into_iter();
        for place in &self.parents {
            let parent = parents.next().map_or(ptr::null_mut(), |parent| {
                // Before the child can be run anywhere.
                // mutant: child-makes-its-parent-spread
                parent.set(SPREAD);
                // mutant: child-has-bits-of-its-parents
                mask |= parent.mask();
                parent.into_raw().cast_mut()
            });
            place.store(parent, Ordering::Release);
        }
        debug_assert!(parents.next().is_none());
        self.mask.store(mask, Ordering::Relaxed);
        let kept = self.state.load(Ordering::Relaxed) & OF_THREAD;
        self.state.store(kept | u32::from(requested), Ordering::SeqCst);
    }

    // ---- looks; async-signal-safe ----

    pub(crate) fn mask(&self) -> usize {
        self.mask.load(Ordering::Relaxed)
    }

    // mutant: state-of-a-scope
    pub(crate) fn has(&self, bits: u32) -> bool {
        // Acquire: what the requester did before is visible to the one that sees
        // the request.
        self.state.load(Ordering::Acquire) & bits != 0
    }

    /// How many hold it. Acquire: with the Release of each that holds it no more.
    pub(crate) fn holders(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        let start = self.reason.load(Ordering::Acquire);
        let length = self.reason_length.load(Ordering::Relaxed) as usize;
        // SAFETY: the length was written before the address of the same text, by the
        // only one that writes them while the cell has a count; both are of a
        // `&'static str`.
        (!start.is_null()).then(|| unsafe {
            Reason::from(str::from_utf8_unchecked(core::slice::from_raw_parts(start, length)))
        })
    }

    /// The first that `found` says something of: this one or one above it.
    ///
    /// Other threads may make something else of the cells meanwhile, unless the
    /// caller holds this one.
    pub(crate) fn find<R>(&self, found: &mut impl FnMut(&ScopeCell) -> Option<R>) -> Option<R> {
        let mut cell = self;
        loop {
            if let Some(result) = found(cell) {
                return Some(result);
            }
            let [first, second] = &cell.parents;
            // SAFETY: the module's invariant: null or a cell, no matter which thread has it by now.
            if let Some(second) = unsafe { second.load(Ordering::Acquire).as_ref() }
                && let Some(result) = second.find(found)
            {
                return Some(result);
            }
            // SAFETY: as above.
            cell = unsafe { first.load(Ordering::Acquire).as_ref() }?;
        }
    }

    /// Whether it is this scope or stands under it.
    pub(crate) fn is_under(&self, scope: &ScopeCell) -> bool {
        self.mask() & scope.mask() == scope.mask()
            && self.find(&mut |cell| ptr::eq(cell, scope).then_some(())).is_some()
    }

    /// The thread that has requested it, if that is [noted](ScopeCell::note_requester).
    pub(super) fn requester(&self) -> Option<c_int> {
        let id = self.state.load(Ordering::Relaxed) >> REQUESTER;
        (id != 0).then_some(id as c_int)
    }

    // ---- changes ----

    /// Sets a bit; the bits that were set before.
    pub(crate) fn set(&self, bit: u32) -> u32 {
        // SeqCst: a thread that sets a bit looks at the others afterwards.
        self.state.fetch_or(bit, Ordering::SeqCst)
    }

    /// Notes the thread that was the first to request it. Async-signal-safe.
    pub(super) fn note_requester(&self, id: c_int) {
        self.state.fetch_or((id as u32) << REQUESTER, Ordering::Relaxed);
    }

    /// Whether the caller is the one to tell of the request.
    pub(super) fn is_told_first(&self) -> bool {
        // mutant: request-is-told-once
        self.state.fetch_or(TOLD, Ordering::Relaxed) & TOLD == 0
    }

    /// Sets a bit of this and all scopes above it.
    pub(crate) fn set_upwards(&self, bit: u32) {
        self.find(&mut |cell| {
            cell.set(bit);
            None::<()>
        });
    }

    /// Says why it will be stopped, unless another requester has said something.
    /// Async-signal-safe.
    pub(crate) fn give_reason(&self, reason: Reason) {
        // mutant: first-reason-stays
        if self.set(REASONED) & (REASONED | REQUESTED) == 0 {
            let text = reason.as_str();
            // One of 4 GiB is kept to itself.
            let Ok(length) = u32::try_from(text.len()) else { return };
            self.reason_length.store(length, Ordering::Relaxed);
            self.reason.store(text.as_ptr().cast_mut(), Ordering::Release);
        }
    }
}

/// Three bits of a word, others for each scope.
fn new_bits() -> usize {
    static COUNTER: AtomicUsize = AtomicUsize::new(1);
    // Fibonacci hashing: the upper bits of the product are spread most evenly.
    let spread =
        (COUNTER.fetch_add(1, Ordering::Relaxed) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bit = |shift: u32| 1 << (spread >> shift & u64::from(usize::BITS - 1));
    bit(58) | bit(52) | bit(46)
}

/// A counted reference to a cell; equal are those to the same one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeRef(pub(super) NonNull<ScopeCell>);

// SAFETY: cells are shared between threads, their words are atomic, and the count is
// changed as the one of `std::sync::Arc` is.
unsafe impl Send for ScopeRef {}
// SAFETY: as above.
unsafe impl Sync for ScopeRef {}

impl ScopeRef {
    /// A scope that is stopped with these, of which there are two at most, or alone.
    pub(crate) fn new(parents: impl IntoIterator<Item = ScopeRef>, deadline: u64) -> ScopeRef {
        let made = CELLS.take();
        made.begin(false, parents, deadline);
        ScopeRef::first(made)
    }

    /// One more reference to a cell.
    ///
    /// # Safety
    ///
    /// The caller holds it.
    pub(crate) unsafe fn of(cell: &ScopeCell) -> ScopeRef {
        // As of `Arc`: so many are forgotten ones.
        if cell.count.fetch_add(1, Ordering::Relaxed) > usize::MAX / 2 {
            std::process::abort();
        }
        ScopeRef(NonNull::from(cell))
    }

    /// One more reference to a cell that others hold; none if it is free.
    pub(crate) fn if_held(cell: &ScopeCell) -> Option<ScopeRef> {
        let more = |count| (count != 0).then(|| count + 1);
        // Acquire: with `first`, so that nothing of the scope is seen that the cell was before.
        cell.count.fetch_update(Ordering::Acquire, Ordering::Relaxed, more).ok()?;
        Some(ScopeRef(NonNull::from(cell)))
    }

    /// The reference that a record which was just taken begins with.
    pub(crate) fn first(cell: &'static ScopeCell) -> ScopeRef {
        // Release: with `if_held`.
        cell.count.store(1, Ordering::Release);
        ScopeRef(NonNull::from(cell))
    }

    pub(super) fn as_ptr(&self) -> *const ScopeCell {
        self.0.as_ptr()
    }

    pub(crate) fn into_raw(self) -> *const ScopeCell {
        core::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// # Safety
    ///
    /// The cell came from [`ScopeRef::into_raw`], and this is the only time.
    pub(crate) unsafe fn from_raw(cell: *const ScopeCell) -> ScopeRef {
        // SAFETY: a reference's own address is not null.
        ScopeRef(unsafe { NonNull::new_unchecked(cell.cast_mut()) })
    }
}

impl Clone for ScopeRef {
    fn clone(&self) -> ScopeRef {
        // SAFETY: held by this reference.
        unsafe { ScopeRef::of(self) }
    }
}

impl Deref for ScopeRef {
    type Target = ScopeCell;

    fn deref(&self) -> &ScopeCell {
        // SAFETY: the module's invariant.
        unsafe { self.0.as_ref() }
    }
}
