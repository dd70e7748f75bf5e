//! What the thread that runs callbacks sleeps on: async-signal-safe to count up.
//!
//! # Safety
//!
//! The invariant of this module: the place of [`NOTIFIED`] is its own.

#![allow(unsafe_code)]

use crate::runtime::futex::futex_wake;
use crate::runtime::process::{PerProcess, Place};
use core::sync::atomic::{AtomicU32, Ordering};

/// How often something that is watched was stopped.
// SAFETY: its only user.
pub(super) static NOTIFIED: PerProcess<AtomicU32> = unsafe { PerProcess::new(Place::Notified) };

/// Tells that something that is watched was stopped.
pub(crate) fn notify() {
    if let Some(notified) = NOTIFIED.get() {
        // Release, with the Acquire of the thread that it wakes, which sees the request.
        notified.fetch_add(1, Ordering::Release);
        futex_wake(notified);
    }
}
