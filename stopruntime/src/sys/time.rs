//! Sleeping.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{by_hand, calls, outcome};
use crate::call::{self, call};
use crate::scope::Stopped;
use core::ffi::{c_int, c_uint};
use core::time::Duration;
use libc::{clockid_t, timespec};

calls! {
    /// nanosleep(2).
    "nanosleep" nanosleep_or_stop(time: *const timespec, left: *mut timespec) -> c_int
        = SYS_clock_nanosleep(libc::CLOCK_MONOTONIC, 0, time, left), ppoll: Sleep;
}

by_hand! {
    "clock_nanosleep" = SYS_clock_nanosleep, ppoll: Sleep;
    "sleep" = SYS_clock_nanosleep, ppoll: Sleep;
    "usleep" = SYS_clock_nanosleep, ppoll: Sleep;
}

/// Calls `libc::clock_nanosleep`, stop-checked. `clock_nanosleep(2)`: an error
/// number, 0 for success.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "clock_nanosleep")]
#[inline(always)]
pub unsafe fn clock_nanosleep_or_stop(
    clock: clockid_t,
    flags: c_int,
    time: *const timespec,
    left: *mut timespec,
) -> Result<c_int, Stopped> {
    let args = [clock as usize, flags as usize, time as usize, left as usize];
    // SAFETY: the caller's times.
    unsafe { call(libc::SYS_clock_nanosleep, args) }.or_stop().map(call::errno)
}

/// Calls `libc::sleep`, stop-checked. sleep(3): the seconds that are left, 0 unless
/// a signal came.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
///
/// # Safety
///
/// None is needed; `libc::sleep` is unsafe, and this takes its place.
#[doc(alias = "sleep")]
pub unsafe fn sleep_or_stop(seconds: c_uint) -> Result<c_uint, Stopped> {
    let mut left = crate::runtime::futex::timespec(Duration::from_secs(seconds.into()));
    let time = left;
    // SAFETY: both times outlive the call.
    let result = unsafe { nanosleep_or_stop(&raw const time, &raw mut left)? };
    // Rounded, as glibc has it.
    Ok(if result == 0 {
        0
    } else {
        left.tv_sec as c_uint + c_uint::from(left.tv_nsec >= 500_000_000)
    })
}

/// Calls `libc::usleep`, stop-checked. usleep(3).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
///
/// # Safety
///
/// None is needed; `libc::usleep` is unsafe, and this takes its place.
#[doc(alias = "usleep")]
pub unsafe fn usleep_or_stop(microseconds: c_uint) -> Result<c_int, Stopped> {
    let time = crate::runtime::futex::timespec(Duration::from_micros(microseconds.into()));
    let args = [libc::CLOCK_MONOTONIC as usize, 0, &raw const time as usize, 0];
    // SAFETY: the time outlives the call.
    outcome(unsafe { call(libc::SYS_clock_nanosleep, args) }).map(|result| result as c_int)
}
