//! Whether a thread panicked in the middle of a change, told as std's locks tell it.

use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;
use std::sync::{LockResult, PoisonError};
use std::thread;

/// Set when a guard that can change the data is dropped by a panic. Every access is
/// Relaxed: the lock orders it.
#[derive(Debug, Default)]
pub(super) struct Poison(AtomicBool);

impl Poison {
    pub(super) const fn new() -> Poison {
        Poison(AtomicBool::new(false))
    }

    #[inline]
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Relaxed);
    }

    /// The guard, or the value, as the holder of the lock gets it.
    #[inline]
    pub(super) fn tell<G>(&self, guard: G) -> LockResult<G> {
        if self.is_set() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }
}

/// What a guard that can change the data remembers.
pub(super) struct Change {
    /// The thread was panicking already when it took the lock.
    panicking: bool,
}

impl Change {
    #[inline]
    pub(super) fn begin() -> Change {
        Change { panicking: thread::panicking() }
    }

    /// Before the lock is given back.
    #[inline]
    pub(super) fn end(&self, poison: &Poison) {
        if !self.panicking && thread::panicking() {
            poison.0.store(true, Relaxed);
        }
    }
}
