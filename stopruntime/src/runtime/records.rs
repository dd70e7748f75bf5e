//! All records, and counted references to them.
//!
//! Records are never freed (see [`pool`](crate::runtime::scopes::pool)): a requester may
//! look at one whose thread has ended, and that another thread has by now. It is taken
//! again with its claim as it was, so that no number comes twice, and with a flag that
//! makes its thread look.
//!
//! # Safety
//!
//! The invariant of this module: a [`RecordRef`] holds one count of its record's own
//! scope.

#![allow(unsafe_code)]

use crate::runtime::record::Record;
use crate::runtime::scopes::cell::{ScopeCell, ScopeRef};
use crate::runtime::scopes::clock::NEVER;
use crate::runtime::scopes::pool::{Pool, Pooled};
use crate::runtime::scopes::{LOOK, LOOKED, in_flight};
use core::sync::atomic::Ordering;

static RECORDS: Pool<Record> = Pool::new();

/// All records that a thread or a handle has. Async-signal-safe.
pub(crate) fn taken() -> impl Iterator<Item = &'static Record> + Clone {
    RECORDS.taken()
}

/// The same, held: none is taken again meanwhile.
pub(crate) fn held() -> impl Iterator<Item = RecordRef> {
    taken().filter_map(|record| ScopeRef::if_held(&record.own)).map(RecordRef)
}

// SAFETY: the place is the one of its own scope, which keeps it.
unsafe impl Pooled for Record {
    fn new(place: u32) -> Record {
        Record::new(0, ScopeCell::of_thread(place, false))
    }

    fn place(&self) -> u32 {
        self.own.place()
    }
}

/// A counted reference to a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordRef(ScopeRef);

impl RecordRef {
    /// The record of a thread to be, which runs under these scopes, two at most, and is
    /// requested to stop already if the thread has been.
    pub(crate) fn take(requested: bool, under: impl IntoIterator<Item = ScopeRef>) -> RecordRef {
        let record = RECORDS.take();
        // A requester may still have set it for the thread that had it before.
        record.line.flag.store(LOOKED, Ordering::SeqCst);
        record.ended.store(0, Ordering::Relaxed);
        // Of a thread that has ended in the midst of a call.
        record.line.marker.store(0, Ordering::Relaxed);
        record.parked.store(0, Ordering::Relaxed);
        record.on_flag.reset();
        #[cfg(feature = "crossbeam-channel")]
        record.hinted.store(false, Ordering::Relaxed);
        record.own.begin(requested, under, NEVER);
        record.clear_visible();
        if requested {
            record.line.flag.store(LOOK, Ordering::SeqCst);
        } else {
            in_flight::lower(&record.line.flag);
        }
        RecordRef(ScopeRef::first(&record.own))
    }

    #[cfg(feature = "crossbeam-channel")]
    pub(crate) fn scope(&self) -> &ScopeRef {
        &self.0
    }

    /// The scope of the thread.
    pub(crate) fn into_scope(self) -> ScopeRef {
        self.0
    }

    pub(crate) fn into_raw(self) -> *const Record {
        let offset = core::mem::offset_of!(Record, own);
        // Of the record that it lies in.
        self.0.into_raw().wrapping_byte_sub(offset).cast()
    }

    /// # Safety
    ///
    /// The record came from [`RecordRef::into_raw`], and this is the only time.
    pub(crate) unsafe fn from_raw(record: *const Record) -> RecordRef {
        // SAFETY: the caller's promise; its scope is part of the record.
        RecordRef(unsafe { ScopeRef::from_raw(&raw const (*record).own) })
    }

    /// # Safety
    ///
    /// The caller has a count of the record.
    pub(crate) unsafe fn of(record: &Record) -> RecordRef {
        // SAFETY: the caller's promise.
        RecordRef(unsafe { ScopeRef::of(&record.own) })
    }
}

impl core::ops::Deref for RecordRef {
    type Target = Record;

    fn deref(&self) -> &Record {
        self.0.record().expect("the scope is a thread's own")
    }
}

impl Record {
    /// No thread has it any more, and no handle.
    ///
    /// # Safety
    ///
    /// The record came from [`RecordRef::take`], and this was its last reference.
    pub(super) unsafe fn give_back(record: &'static Record) {
        let parker = record.parker.swap(core::ptr::null_mut(), Ordering::AcqRel);
        if !parker.is_null() {
            // SAFETY: made by `park`, and no requester looks at it: that takes a claim.
            drop(unsafe { Box::from_raw(parker) });
        }
        // SAFETY: the caller's promise.
        unsafe { RECORDS.give_back(record) };
    }
}
