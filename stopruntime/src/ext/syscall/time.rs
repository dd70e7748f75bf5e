//! Sleeping.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::call;
use crate::flag_wait;
use crate::runtime::attach;
use crate::runtime::futex::timespec;
use crate::scope::Stopped;
use std::time::Duration;

/// Sleeps until a time on the monotonic clock, given as the time since its start, so
/// that neither a signal nor SIGSTOP moves it.
pub(in crate::ext) fn sleep_until(time: Duration) -> Result<(), Stopped> {
    let record = attach::registered();
    // mutant: sleep-on-flag
    if flag_wait::serves(record) && flag_wait::sleep_until(record, time)? {
        return Ok(());
    }
    let time = timespec(time);
    let clock = libc::CLOCK_MONOTONIC as usize;
    // mutant: same-deadline
    let args = [clock, libc::TIMER_ABSTIME as usize, &raw const time as usize, 0];
    // SAFETY: the time outlives the call; with TIMER_ABSTIME no rest is written.
    let sleep = || unsafe { call(libc::SYS_clock_nanosleep, args) };
    let mut raw = sleep();
    // mutant: sleep-goes-on-after-signal
    while raw.is_interrupted() {
        raw = sleep();
    }
    raw.or_stop().map(drop)
}
