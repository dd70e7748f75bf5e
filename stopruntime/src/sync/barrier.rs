//! A barrier that a stopped participant breaks.
//!
//! A barrier is for a fixed number of threads. If one of them is stopped while it
//! waits, or as it arrives, the others can never be complete, so they are released,
//! and told: [`BarrierWaitResult::is_broken`]. From then on every wait returns
//! broken. To leave them waiting would turn the stop of one thread into the hang of
//! all; to go on with fewer would break what the barrier is for.

use super::condvar::Condvar;
use super::mutex::{Mutex, MutexGuard};
use super::wait::{OrStop, Plain, Wait, never};
use crate::scope::Stopped;
use std::fmt;
use std::sync::PoisonError;

/// Lets threads wait for each other like [`std::sync::Barrier`], stop-checked.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::Barrier;
/// use stopruntime::thread;
///
/// let barrier = Barrier::new(2);
/// thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait_or_stop().unwrap().is_leader());
///     let leads = barrier.wait_or_stop().unwrap().is_leader();
///     assert_ne!(leads, other.join().unwrap());
/// });
/// ```
pub struct Barrier {
    state: Mutex<State>,
    changed: Condvar,
    threads: usize,
}

struct State {
    arrived: usize,
    /// Counts the times that all had arrived.
    round: usize,
    broken: bool,
}

/// Says how a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BarrierWaitResult {
    leader: bool,
    broken: bool,
}

impl BarrierWaitResult {
    /// Returns whether this thread is the one of its round that is singled out.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.leader
    }

    /// Returns whether a participant was stopped, so that the threads have not met.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Barrier {
    /// Creates a barrier for this many threads; 0 counts as 1.
    #[must_use]
    pub const fn new(threads: usize) -> Barrier {
        let state = State { arrived: 0, round: 0, broken: false };
        Barrier { state: Mutex::new(state), changed: Condvar::new(), threads }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the others go: one of them will not come.
    fn give_up(&self, mut state: MutexGuard<'_, State>) {
        state.broken = true;
        drop(state);
        self.changed.notify_all();
    }

    fn wait_as<W: Wait>(&self) -> Result<BarrierWaitResult, W::Stop> {
        if let Err(stop) = W::check() {
            // mutant: barrier-stopped-on-arrival
            self.give_up(self.state());
            return Err(stop);
        }
        let mut state = self.state();
        if state.broken {
            return Ok(BarrierWaitResult { leader: false, broken: true });
        }
        let round = state.round;
        state.arrived += 1;
        if state.arrived >= self.threads {
            state.arrived = 0;
            state.round += 1;
            drop(state);
            self.changed.notify_all();
            return Ok(BarrierWaitResult { leader: true, broken: false });
        }
        while state.round == round && !state.broken {
            state = match self.changed.wait_as::<W, State>(state, None) {
                Ok(result) => result.unwrap_or_else(PoisonError::into_inner).0,
                Err(stop) => {
                    let state = self.state();
                    // If the last one came at the same time, this thread has
                    // met the others, and its next call sees the stop.
                    // mutant: barrier-passed-is-no-stop
                    if state.round == round {
                        // mutant: barrier-stopped-lets-others-go
                        self.give_up(state);
                        return Err(stop);
                    }
                    state
                }
            };
        }
        Ok(BarrierWaitResult { leader: false, broken: state.round == round })
    }

    /// Waits until all threads have called it, or one of them was stopped.
    pub fn wait(&self) -> BarrierWaitResult {
        never(self.wait_as::<Plain>())
    }

    /// Waits as [`Barrier::wait`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested. The barrier is broken for the others.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::Barrier;
    /// use stopruntime::thread;
    ///
    /// let barrier = Barrier::new(2);
    /// thread::scope(|scope| {
    ///     let other = scope.spawn(|| barrier.wait_or_stop().is_err());
    ///     assert!(other.stop_and_join().unwrap());
    /// });
    /// assert!(barrier.wait().is_broken()); // without waiting for a thread that will not come
    /// ```
    pub fn wait_or_stop(&self) -> Result<BarrierWaitResult, Stopped> {
        self.wait_as::<OrStop>()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Barrier").finish_non_exhaustive()
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = formatter.debug_struct("BarrierWaitResult");
        text.field("is_leader", &self.leader);
        // std's own does not know this one.
        if self.broken {
            text.field("is_broken", &true);
        }
        text.finish()
    }
}
