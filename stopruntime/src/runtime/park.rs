//! A stop-checked `park`, by std's own token.
//!
//! # Safety
//!
//! The invariant of [`end_call`](crate::runtime::end_call) holds here too.

#![allow(unsafe_code)]

use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use core::sync::atomic::Ordering;
use std::thread::Thread;

impl Record {
    /// Parks the calling thread by `park`, unless it must stop; false if it
    /// must. Its token is then as it was, or set although no thread has set it: std
    /// does not tell the requester's from a user's that came at the same time.
    pub(crate) fn park(&self, park: impl Fn()) -> bool {
        let thread = self.parker();
        loop {
            // SeqCst: race 1, with `parked` for the marker.
            // mutant: stop-ends-park
            self.parked.store(1, Ordering::SeqCst);
            // mutant: park-does-not-begin-when
            let parks = self.line.flag.load(Ordering::SeqCst) != LOOK;
            if parks {
                park();
            }
            self.parked.store(0, Ordering::SeqCst);
            // SeqCst: race 2, likewise.
            if self.line.flag.load(Ordering::SeqCst) & LOOK == 0 {
                return true;
            }
            // A request that is still in flight may set the token yet.
            self.settle();
            if self.evaluate().take() {
                // mutant: stopped-park-takes-no-token
                if parks {
                    thread.unpark();
                }
                return false;
            }
            if parks {
                return true;
            }
        }
    }

    fn parker(&self) -> &Thread {
        let mut parker = self.parker.load(Ordering::Relaxed);
        if parker.is_null() {
            parker = Box::into_raw(Box::new(std::thread::current()));
            self.parker.store(parker, Ordering::Release);
        }
        // SAFETY: this thread's own, until the record is given back.
        unsafe { &*parker }
    }
}
