//! The thread that does what the signals say.

use super::handler;
use crate::Stopper;
use crate::runtime::futex::{futex_wait, futex_wait_until};
use crate::runtime::scopes::clock::{self, NEVER};
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(super) type Action = Box<dyn FnOnce() + Send>;

/// What the guard and the helper have in common.
pub(super) struct Shared {
    root: Stopper,
    /// What [reloads](Shared::reloading) stop, under the root.
    run: Mutex<Stopper>,
    limit: Option<Duration>,
    /// The first one; 0 before.
    signal: AtomicI32,
    /// What is done when it goes cold.
    last: Mutex<Vec<Action>>,
}

impl Shared {
    pub(super) fn new(limit: Option<Duration>) -> Shared {
        let root = Stopper::new();
        let run = Mutex::new(root.child());
        Shared { root, run, limit, signal: AtomicI32::new(0), last: Mutex::default() }
    }

    /// The scope that the next reload stops.
    pub(super) fn reloading(&self) -> Stopper {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes another such scope, and stops the one that was.
    fn reload(&self, signal: c_int) {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        // mutant: reload-makes-another-scope
        let before = core::mem::replace(&mut *run, self.root.child());
        drop(run);
        // mutant: reload-stops-its-run
        before.request_stop_because(name(signal));
    }

    pub(super) fn root(&self) -> &Stopper {
        &self.root
    }

    /// Does this when it goes cold, after what it was given before.
    pub(super) fn at_last(&self, action: Action) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).push(action);
    }

    /// The helper: does what the signals say, until the guard is dropped.
    pub(super) fn run(&self) {
        let mut deadline = NEVER;
        let mut reloads = 0;
        loop {
            let state = handler::STATE.load(Ordering::Acquire);
            if state == handler::ENDED {
                return;
            }
            let (signal, count) = handler::parts(state);
            if count == 0 && handler::reloads(state) != reloads {
                reloads = handler::reloads(state);
                self.reload(signal);
            }
            if count > 0 && self.signal() == 0 {
                self.signal.store(signal, Ordering::Release);
                // mutant: first-signal-stops-root
                self.root.request_stop_because(name(signal));
                deadline = self.limit.map_or(NEVER, clock::after);
            }
            // mutant: second-signal-goes-cold
            if count > 1 {
                self.go_cold(signal);
            }
            // mutant: limit-goes-cold
            if deadline != NEVER && clock::now() >= deadline {
                // From now on a signal is the third.
                let cold = handler::after(state, signal);
                let order = Ordering::AcqRel;
                let _ = handler::STATE.compare_exchange(state, cold, order, Ordering::Acquire);
            } else if deadline == NEVER {
                futex_wait(&handler::STATE, state, None);
            } else {
                futex_wait_until(&handler::STATE, state, deadline);
            }
        }
    }

    pub(super) fn signal(&self) -> c_int {
        self.signal.load(Ordering::Acquire)
    }

    fn go_cold(&self, signal: c_int) -> ! {
        let actions =
            core::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner));
        for action in actions {
            // A panic is reported, and the next one runs.
            // mutant: cold-runs-its-actions
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(action));
        }
        handler::end(signal)
    }
}

/// The reason that the root scope is given.
fn name(signal: c_int) -> &'static str {
    match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGTERM => "SIGTERM",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        _ => "a signal",
    }
}
