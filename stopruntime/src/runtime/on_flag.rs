//! Waits in which the thread sleeps on its own flag, alone or among other futex
//! words. A requester ends such a wait by waking the thread: it needs no barrier and
//! no claim, and sends no signal.
//!
//! The thread says by `on_flag` that it is in one, then looks at its flag, which the
//! kernel compares once more before the thread sleeps. A requester sets the flag and
//! then looks at `on_flag`, before its barrier and after it:
//!
//! - If it has woken the thread, the thread looks at its scopes, and nothing else is to
//!   be done; unless a signal handler waited there, on top of another marked call, which
//!   may go on in the kernel when the handler returns. The marker, or what stands for it,
//!   tells, and then the requester goes on as for any other thread.
//! - If it has woken no thread although `on_flag` is set, the thread is on its way into
//!   the kernel, which will find the flag changed; or on its way out; or in a signal
//!   handler on top of the wait, perhaps in another marked call there. The requester goes
//!   on as for any other thread.
//! - If `on_flag` is still 0 after the barrier, the thread looks at its flag later.
//!
//! So a 1 is a hint: one that is left behind, by a handler that has jumped out of the
//! wait, costs a request one system call. A 0 is the truth.

use crate::runtime::futex::futex_wake_one;
use crate::runtime::scopes::LOOK;
use crate::runtime::signal;
use core::sync::atomic::{AtomicU32, Ordering};

/// Not 0: the thread is in a wait on its flag.
pub(crate) struct OnFlag(AtomicU32);

impl OnFlag {
    pub(crate) const fn new() -> OnFlag {
        OnFlag(AtomicU32::new(0))
    }

    /// The thread is in none: when the record is taken.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether the thread is in such a wait, as far as it says.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }

    /// Wakes the thread if it sleeps on its flag, which has been set, and returns whether
    /// it did. Async-signal-safe.
    pub(crate) fn wake(&self, flag: &AtomicU32) -> bool {
        self.is_set() && futex_wake_one(flag)
    }

    /// Runs `wait`, which sleeps at most for as long as the flag has the value that it is
    /// given, unless the flag is up. That value, and the result, if the wait has begun.
    pub(crate) fn wait<R>(
        &self,
        flag: &AtomicU32,
        wait: impl FnOnce(u32) -> R,
    ) -> (u32, Option<R>) {
        // A handler on top of such a wait leaves the mark as it was.
        // mutant: wait-on-flag-in-handler
        let outer = self.0.load(Ordering::Relaxed);
        // mutant: wait-on-flag-marked
        self.0.store(1, Ordering::Relaxed);
        // mutant: wait-on-flag-marked-first
        signal::order();
        let seen = flag.load(Ordering::SeqCst);
        // mutant: wait-on-flag-does-not-begin
        let result = (seen != LOOK).then(|| wait(seen));
        self.0.store(outer, Ordering::Relaxed);
        (seen, result)
    }
}
