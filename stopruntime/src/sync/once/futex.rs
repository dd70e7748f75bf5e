//! What has to happen once, without its value, by the algorithm of std's futex
//! `Once` (`std::sys::sync::once::futex`), with a way to give up.
//!
//! | phase | meaning |
//! |---|---|
//! | `NOT_YET` | no thread has begun |
//! | `POISONED` | as `NOT_YET`, and a thread that had begun panicked |
//! | `RUNNING` | one thread is at it |
//! | `DONE` | it has happened |
//!
//! Any phase except `DONE` may have the bit `AWAITED`: threads may be asleep on the
//! word. The thread that was at it wakes them all, however it ended; each looks
//! again, and the first takes over if there is something left to do. So no wake-up
//! is meant for one waiter alone, and a stopped waiter has nothing to hand on.

use crate::runtime::futex::futex_wake;
use crate::sync::wait::Wait;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

pub(in crate::sync) const NOT_YET: u32 = 0;
pub(in crate::sync) const POISONED: u32 = 1;
const RUNNING: u32 = 2;
const DONE: u32 = 3;
const PHASE: u32 = 3;
const AWAITED: u32 = 4;

#[derive(Debug, Default)]
pub(in crate::sync) struct RawOnce(AtomicU32);

impl RawOnce {
    pub(in crate::sync) const fn new() -> RawOnce {
        RawOnce(AtomicU32::new(NOT_YET))
    }

    pub(in crate::sync) const fn done() -> RawOnce {
        RawOnce(AtomicU32::new(DONE))
    }

    /// Acquire pairs with the Release in [`Running`]: the value is there.
    #[inline]
    pub(in crate::sync) fn is_done(&self) -> bool {
        self.0.load(Acquire) == DONE
    }

    /// Makes it happen, unless it has; waits while another thread is at it. The
    /// closure is told whether one has panicked before. That it has happened
    /// goes before a stop: there is nothing to wait for.
    ///
    /// If it fails, it is not yet done; if it panics, the phase is `after_panic`.
    #[inline]
    pub(in crate::sync) fn call<W: Wait, E>(
        &self,
        after_panic: u32,
        run: impl FnOnce(bool) -> Result<(), E>,
    ) -> Result<Result<(), E>, W::Stop> {
        // mutant: initialised-before-request
        if self.is_done() { Ok(Ok(())) } else { self.call_slowly::<W, E>(after_panic, run) }
    }

    #[cold]
    fn call_slowly<W: Wait, E>(
        &self,
        after_panic: u32,
        run: impl FnOnce(bool) -> Result<(), E>,
    ) -> Result<Result<(), E>, W::Stop> {
        W::check()?;
        loop {
            let state = self.0.load(Acquire);
            match state & PHASE {
                DONE => return Ok(Ok(())),
                RUNNING => {
                    if self.announce(state) {
                        self.sleep::<W>(state)?;
                    }
                }
                phase => {
                    // mutant: once-waiters-remembered
                    let running = RUNNING | state & AWAITED;
                    // Acquire: what the one before left behind.
                    if self.0.compare_exchange(state, running, Acquire, Relaxed).is_err() {
                        continue;
                    }
                    let mut over = Running { once: self, phase: after_panic };
                    let result = run(phase == POISONED);
                    // mutant: unfinished-initialiser-not-counted
                    over.phase = if result.is_ok() { DONE } else { NOT_YET };
                    return Ok(result);
                }
            }
        }
    }

    /// Waits until it has happened, or, if asked to look, until it is poisoned;
    /// whether it has happened.
    pub(in crate::sync) fn wait_until_done<W: Wait>(
        &self,
        looks_for_poison: bool,
    ) -> Result<bool, W::Stop> {
        loop {
            let state = self.0.load(Acquire);
            match state & PHASE {
                DONE => return Ok(true),
                POISONED if looks_for_poison => return Ok(false),
                _ if self.announce(state) => self.sleep::<W>(state)?,
                _ => {}
            }
        }
    }

    /// Sleeps while this is the state, with the bit; a stop that comes after it
    /// has happened is left to the next call.
    fn sleep<W: Wait>(&self, state: u32) -> Result<(), W::Stop> {
        W::futex_wait(&self.0, state | AWAITED, None)
            .or_else(|stop| if self.is_done() { Ok(()) } else { Err(stop) })
    }

    /// Sets the bit in this state; false if that is not the state any more.
    fn announce(&self, state: u32) -> bool {
        state & AWAITED != 0
            || self.0.compare_exchange(state, state | AWAITED, Relaxed, Relaxed).is_ok()
    }
}

/// While the closure runs; dropped, the phase is over.
struct Running<'once> {
    once: &'once RawOnce,
    /// What comes next.
    phase: u32,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.once.0.swap(self.phase, Release) & AWAITED != 0 {
            futex_wake(&self.once.0);
        }
    }
}
