//! The readers-writer lock without its data.
//!
//! | bits of `state` | meaning |
//! |---|---|
//! | 0 to 29 | how many readers hold it; all ones: a writer does; none: it is free |
//! | 30, `READERS` | readers may be asleep, on `state` |
//! | 31, `WRITERS` | writers may be asleep, on `turns` |
//!
//! The algorithm is the one of std's futex lock (`std::sys::sync::rwlock::futex`), with
//! a way to give up. A waiter sets the bit of its kind first, and sleeps only if the bit is still
//! there. A thread that frees the lock while a bit is set clears it and wakes: one
//! writer if there may be any, and all readers if no writer was asleep. The writer
//! that is woken sets the bit again, by its lock or by its next wait, because there
//! may be others; its unlock looks after the readers.
//!
//! A reader does not take the lock while a bit is set, so that writers get it. A
//! bit must therefore not outlive the threads that it stands for. A *stopped* reader
//! leaves `READERS` behind, which costs the next unlock one useless wake-up. A
//! stopped writer may have been the only one that kept the readers away: it clears
//! both bits and wakes all waiters to look again. That also hands on a wake-up that
//! was meant for the writer.

use crate::runtime::futex::{SPINS, futex_wake, futex_wake_one};
use crate::sync::wait::Wait;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// In the place of the number of readers.
const WRITER: u32 = (1 << 30) - 1;
const READERS: u32 = 1 << 30;
const WRITERS: u32 = 1 << 31;

#[derive(Debug, Default)]
pub(super) struct RawRwLock {
    state: AtomicU32,
    /// Counts the wake-ups of writers.
    turns: AtomicU32,
}

const fn is_free(state: u32) -> bool {
    state & WRITER == 0
}

/// One more may read: no writer, no bit, and room for the number.
const fn is_readable(state: u32) -> bool {
    state < WRITER - 1
}

impl RawRwLock {
    pub(super) const fn new() -> RawRwLock {
        RawRwLock { state: AtomicU32::new(0), turns: AtomicU32::new(0) }
    }

    /// Acquire, here and below, pairs with the Release of both unlocks.
    #[inline]
    pub(super) fn try_read(&self) -> bool {
        let mut state = self.state.load(Relaxed);
        while is_readable(state) {
            match self.state.compare_exchange_weak(state, state + 1, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn read<W: Wait>(&self) -> Result<(), W::Stop> {
        W::check()?;
        if self.try_read() { Ok(()) } else { self.read_contended::<W>() }
    }

    #[cold]
    fn read_contended<W: Wait>(&self) -> Result<(), W::Stop> {
        loop {
            let state = self.spin(|state| state == WRITER);
            if is_readable(state) {
                if self.try_read() {
                    return Ok(());
                }
                continue;
            }
            assert!(state & WRITER != WRITER - 1, "a lock has at most 2^30 - 2 readers");
            if self.announce(state, READERS) {
                W::futex_wait(&self.state, state | READERS, None)?;
            }
        }
    }

    #[inline]
    pub(super) fn try_write(&self) -> bool {
        let mut state = self.state.load(Relaxed);
        while is_free(state) {
            match self.state.compare_exchange_weak(state, state | WRITER, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn write<W: Wait>(&self) -> Result<(), W::Stop> {
        W::check()?;
        // Nearly always free and without bits: one look less than `try_write`.
        let taken = self.state.compare_exchange(0, WRITER, Acquire, Relaxed);
        if taken.is_ok() { Ok(()) } else { self.write_contended::<W>() }
    }

    #[cold]
    fn write_contended<W: Wait>(&self) -> Result<(), W::Stop> {
        // What this thread leaves in `state` once a bit may have been taken off
        // for its sake.
        let mut others = 0;
        loop {
            let state = self.spin(|state| !is_free(state));
            if is_free(state) {
                let held = state | WRITER | others;
                if self.state.compare_exchange_weak(state, held, Acquire, Relaxed).is_ok() {
                    return Ok(());
                }
                continue;
            }
            if !self.announce(state, WRITERS) {
                continue;
            }
            // mutant: writer-woken-leaves-bit-for
            others = WRITERS;
            // Acquire: the thread that counted this turn has cleared the bit before.
            let turn = self.turns.load(Acquire);
            let state = self.state.load(Relaxed);
            if is_free(state) || state & WRITERS == 0 {
                continue;
            }
            if let Err(stop) = W::futex_wait(&self.turns, turn, None) {
                // mutant: stopped-writer-does-not-keep
                self.give_up();
                return Err(stop);
            }
        }
    }

    /// Sets the bit in this state; false if that is not the state any more.
    fn announce(&self, state: u32, bit: u32) -> bool {
        state & bit != 0
            || self.state.compare_exchange(state, state | bit, Relaxed, Relaxed).is_ok()
    }

    /// Returns the state, after a while if the lock is held and no thread waits: a
    /// short hold on another core is over before a system call is.
    fn spin(&self, held: impl Fn(u32) -> bool) -> u32 {
        for _ in 0..SPINS {
            let state = self.state.load(Relaxed);
            if !held(state) || state & (READERS | WRITERS) != 0 {
                return state;
            }
            core::hint::spin_loop();
        }
        self.state.load(Relaxed)
    }

    /// A stopped writer: see above.
    #[cold]
    fn give_up(&self) {
        self.state.fetch_and(!(READERS | WRITERS), Relaxed);
        self.turns.fetch_add(1, Release);
        futex_wake(&self.turns);
        futex_wake(&self.state);
    }

    #[inline]
    pub(super) fn unlock_read(&self) {
        let state = self.state.fetch_sub(1, Release) - 1;
        if is_free(state) && state != 0 {
            self.wake(state);
        }
    }

    #[inline]
    pub(super) fn unlock_write(&self) {
        let state = self.state.fetch_sub(WRITER, Release) - WRITER;
        if state != 0 {
            self.wake(state);
        }
    }

    /// From the writer's hold to a reader's.
    #[inline]
    pub(super) fn downgrade(&self) {
        let state = self.state.fetch_sub(WRITER - 1, Release);
        // With writers waiting the readers go on waiting.
        // mutant: downgrade-wakes-readers
        if state & (READERS | WRITERS) == READERS {
            self.wake_readers();
        }
    }

    #[cold]
    fn wake_readers(&self) {
        self.state.fetch_and(!READERS, Relaxed);
        futex_wake(&self.state);
    }

    /// The lock has become free with a bit set. A thread that takes it meanwhile does
    /// the rest when it unlocks.
    #[cold]
    fn wake(&self, mut state: u32) {
        while is_free(state) && state != 0 {
            let bit = if state & WRITERS != 0 { WRITERS } else { READERS };
            if let Err(now) = self.state.compare_exchange(state, state & !bit, Relaxed, Relaxed) {
                state = now;
                continue;
            }
            state &= !bit;
            if bit == READERS {
                futex_wake(&self.state);
            } else if self.wake_writer() {
                return;
            }
        }
    }

    /// Whether one was asleep. One that was about to sleep looks again.
    fn wake_writer(&self) -> bool {
        self.turns.fetch_add(1, Release);
        futex_wake_one(&self.turns)
    }
}
