//! The end of a scope: the last reference gives it back, and the record that it lies
//! in if it is a thread's own.
//!
//! # Safety
//!
//! The invariant of [`cell`](super::cell) holds here too.

#![allow(unsafe_code)]

use super::cell::{CELLS, OF_THREAD, ScopeCell, ScopeRef};
use crate::runtime::record::Record;
use core::ptr;
use core::sync::atomic::{Ordering, fence};

impl ScopeCell {
    /// The record it lies in, if it is a thread's own.
    pub(crate) fn record(&self) -> Option<&Record> {
        let offset = core::mem::offset_of!(Record, own);
        // SAFETY: cells of threads lie in records and nowhere else.
        self.has(OF_THREAD)
            .then(|| unsafe { &*ptr::from_ref(self).byte_sub(offset).cast::<Record>() })
    }
}

impl Drop for ScopeRef {
    fn drop(&mut self) {
        // SAFETY: never freed.
        release(unsafe { self.0.as_ref() });
    }
}

/// Gives one count back, and those that the cell held if it was the last. A loop over
/// the first parents, because scopes may stand thousands deep.
fn release(mut cell: &'static ScopeCell) {
    loop {
        if cell.count.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // As of `Arc`: what the others did with it came before.
        fence(Ordering::Acquire);
        let [first, second] = cell.parents.each_ref().map(|place| {
            let parent = place.load(Ordering::Relaxed);
            if !parent.is_null() {
                // No swap: nothing else writes it while nothing has the cell.
                place.store(ptr::null_mut(), Ordering::Release);
            }
            // SAFETY: null, or a cell of which this one held a count.
            unsafe { parent.as_ref() }
        });
        match cell.record() {
            // SAFETY: this was the last reference, and the record came from its pool.
            Some(record) => unsafe { Record::give_back(record) },
            // SAFETY: as above.
            None => unsafe { CELLS.give_back(cell) },
        }
        if let Some(second) = second {
            release(second);
        }
        match first {
            Some(first) => cell = first,
            None => return,
        }
    }
}
