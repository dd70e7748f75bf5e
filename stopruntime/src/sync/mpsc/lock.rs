//! A lock for a few instructions at a time, with one atomic instruction for
//! taking it and none for giving it back.
//!
//! | word | meaning |
//! |---|---|
//! | `state` | 0: free, 1: held; the futex word |
//! | `waiters` | how many may sleep until it is free |
//!
//! The holder gives the lock back by storing a 0, and then looks for waiters. On its
//! way out of a core such a load may overtake such a store, so the look alone would
//! miss a waiter that came in between. Other locks have the holder prevent that, and
//! pay for it at each unlock; here the waiter pays, and only once it has looked in
//! vain for longer than the lock is held, unless the holder has lost its core. The
//! waiter counts itself, and calls membarrier(2), by which every thread passes a full
//! barrier at some point between the two of its instructions:
//!
//! - A look from after that point finds the waiter, and wakes it.
//! - A look from before it comes after a store from before it, which the waiter
//!   finds: it does not sleep on a 1 that has been given back.
//!
//! A barrier interrupts every core that runs a thread of the process, so only the
//! first waiter makes one. A later waiter that finds the first one counted needs
//! none: the first will have the lock, and takes itself off the count after the later
//! one has come. It gives the lock back after that, as do all later holders; what
//! they then read of the count includes the later waiter. So however many cores
//! contend for a channel, there is a barrier only where no thread waited before.
//!
//! A kernel without membarrier(2) lets the first waiter sleep for a moment at a
//! time.
//!
//! # Safety
//!
//! The invariant of this module: the data is reached through a guard only, and
//! there is one guard while the state is not 0.

#![allow(unsafe_code)]

use crate::runtime::futex::{SPINS, futex_wait, futex_wake_one};
use crate::runtime::signal;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicU32, compiler_fence};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

const FREE: u32 = 0;
const HELD: u32 = 1;

const A_MOMENT: Duration = Duration::from_millis(1);

pub(super) struct Lock<T> {
    state: AtomicU32,
    waiters: AtomicU32,
    data: UnsafeCell<T>,
}

// SAFETY: the lock hands the data from thread to thread, one at a time.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Lock<T> {}

// A holder that panics has to leave the data whole.
impl<T> UnwindSafe for Lock<T> {}
impl<T> RefUnwindSafe for Lock<T> {}

impl<T> Lock<T> {
    pub(super) fn new(data: T) -> Lock<T> {
        Lock {
            state: AtomicU32::new(FREE),
            waiters: AtomicU32::new(0),
            data: UnsafeCell::new(data),
        }
    }

    /// Acquire pairs with the Release of the guard's drop.
    #[inline]
    fn try_lock(&self) -> bool {
        // mutant: lock-acquires
        self.state.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
    }

    /// Not stop-checked: no holder waits for anything else.
    #[inline]
    pub(super) fn lock(&self) -> Guard<'_, T> {
        if !self.try_lock() {
            self.lock_contended();
        }
        Guard(self, PhantomData)
    }

    #[cold]
    fn lock_contended(&self) {
        for _ in 0..SPINS {
            if self.state.load(Relaxed) == FREE && self.try_lock() {
                return;
            }
            core::hint::spin_loop();
        }
        // mutant: lock-release-sees-waiters
        let first = self.waiters.fetch_add(1, Relaxed) == 0;
        // mutant: channel-lock-release-wakes
        let longest = if !first || signal::barrier_for_all() { None } else { Some(A_MOMENT) };
        while !self.try_lock() {
            futex_wait(&self.state, HELD, longest);
        }
        // A holder that still finds this waiter makes one system call too many.
        // mutant: lock-release-sees-waiters-2
        self.waiters.fetch_sub(1, Relaxed);
    }
}

/// Gives the lock back when it is dropped; is to be shared and sent as the data.
pub(super) struct Guard<'lock, T>(&'lock Lock<T>, PhantomData<&'lock mut T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard, borrowed as exclusively as the data.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // mutant: lock-release-publishes
        self.0.state.store(FREE, Release);
        // In this order in the program: so the barrier is before both, between
        // them, or behind both.
        compiler_fence(SeqCst);
        if self.0.waiters.load(Relaxed) != 0 {
            wake(&self.0.state);
        }
    }
}

#[cold]
fn wake(state: &AtomicU32) {
    futex_wake_one(state);
}
