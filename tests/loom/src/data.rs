//! Data whose accesses loom watches.
//!
//! # Safety
//!
//! A shared reference reads only.

#![allow(unsafe_code)]

use loom::cell::Cell;

/// A number without synchronisation of its own: if two accesses, one of them a
/// write, are not ordered by anything, the model fails. Put it behind a lock,
/// or send it.
#[derive(Debug, Default)]
pub struct Data(Cell<usize>);

// SAFETY: `set` takes an exclusive reference.
unsafe impl Sync for Data {}

impl Data {
    /// Written by the calling thread.
    #[must_use]
    pub fn new(value: usize) -> Data {
        Data(Cell::new(value))
    }

    /// Reads it.
    #[must_use]
    pub fn get(&self) -> usize {
        self.0.get()
    }

    /// Writes it.
    pub fn set(&mut self, value: usize) {
        self.0.set(value);
    }

    /// Writes one more.
    pub fn increase(&mut self) {
        self.set(self.get() + 1);
    }
}
