//! How a requester ends the marked call that a thread is in: async-signal-safe, without
//! an allocation.
//!
//! # Safety
//!
//! The invariant of this module: a record's `parker` is null or a box of the record's own,
//! which only a requester with a claim and the thread look at.

#![allow(unsafe_code)]

use crate::runtime::record::Record;
#[cfg(feature = "crossbeam-channel")]
use crate::runtime::scopes::notified::notify;
use crate::runtime::{process, signal};
use core::sync::atomic::Ordering;

impl Record {
    /// Ends the marked call that the thread is in, if the thread still `fits` in it:
    /// its flag has been set before a barrier of all threads, or there is no `barrier`.
    ///
    /// A second request signals again: it costs little, and a signal that
    /// a foreign handler swallowed is made good.
    pub(super) fn end_its_call(&self, barrier: bool, fits: &dyn Fn(&Record) -> bool) {
        if process::is_raw_child() {
            self.after_raw_fork();
        }
        self.signal(barrier, fits);
        // It may have begun to wait on its flag since the requester looked for that.
        self.on_flag.wake(&self.line.flag);
        #[cfg(feature = "crossbeam-channel")]
        if self.hinted.load(Ordering::SeqCst) {
            // mutant: request-wakes-crossbeam
            notify();
        }
    }

    /// Wakes the thread, whose flag has been set, if it sleeps on that, and returns
    /// whether this ends all marked calls that it is in.
    pub(super) fn ends_by_waking(&self) -> bool {
        // What the thread has stored before it slept is seen after it was woken.
        // mutant: sleeper-on-flag-gets-no-signal
        let woken = self.on_flag.wake(&self.line.flag);
        #[cfg(feature = "crossbeam-channel")]
        if self.hinted.load(Ordering::SeqCst) {
            return false;
        }
        // In a handler on top of another call that would be the inner one's end alone.
        // mutant: sleeper-on-top-of-call-is-ended-too
        woken
            && self.line.marker.load(Ordering::SeqCst) == 0
            && self.parked.load(Ordering::SeqCst) == 0
            && !self.region.is_open()
    }

    fn signal(&self, barrier: bool, fits: &dyn Fn(&Record) -> bool) {
        // Race 2: the look comes before all other loads.
        let Some(look) = self.claim.look() else { return };
        // mutant: without-membarrier-always-signals
        let inside =
            !barrier || self.line.marker.load(Ordering::SeqCst) != 0 || self.region.is_open();
        let parked = self.parked.load(Ordering::SeqCst) != 0;
        // After those two: if the claim succeeds, the thread has been in one and the
        // same call since, and it is this one that is stopped.
        // mutant: shielded-request-sends-no-signal
        let stopped = (inside || parked) && fits(self);
        let tid = self.tid.load(Ordering::SeqCst);
        if !stopped || tid == 0 {
            return;
        }
        // If it fails, the thread has settled, and looks at its scopes afterwards; or
        // another is about to signal it.
        // mutant: claim-looked-at-before-thread
        let Some(sending) = self.claim.claim(look) else { return };
        let sent =
            inside && signal::send(self.pid.load(Ordering::Relaxed), tid, self, sending.sequence());
        if parked {
            // SAFETY: set before the thread parked, and the thread does not end before
            // the claim is finished.
            let thread = unsafe { self.parker.load(Ordering::Acquire).as_ref() };
            if let Some(thread) = thread {
                // An atomic exchange and a futex wake: async-signal-safe.
                thread.unpark();
            }
        }
        self.claim.finish(sending, sent);
    }
}
