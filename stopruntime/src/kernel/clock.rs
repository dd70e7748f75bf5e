//! The clock as the kernel reads it.
//!
//! # Safety
//!
//! The invariant of this module: the kernel is given a place of its own.

#![allow(unsafe_code)]

use super::plain::plain;
use std::time::Duration;

/// Reads the clock in the kernel, which is where the waits look at it: a library
/// that is loaded before libc may give libc's `clock_gettime` another time.
pub(crate) fn now(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place, of the layout that this number takes (abi.rs).
    let _ = unsafe {
        plain(libc::SYS_clock_gettime, [clock as usize, &raw mut now as usize, 0, 0, 0, 0])
    };
    duration(now)
}

pub(crate) fn duration(time: libc::timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}
