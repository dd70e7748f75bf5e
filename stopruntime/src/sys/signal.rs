//! Waiting for signals. The stop signal is never among those waited for: it is
//! what ends the wait.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{address, by_hand, outcome};
use crate::call::call;
use crate::kernel::given::given;
use crate::ppoll::mask;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use crate::scope::Stopped;
use core::ffi::c_int;
use libc::{siginfo_t, sigset_t, timespec};

by_hand! {
    "pause" = SYS_ppoll, ppoll: Ppoll;
    "sigsuspend" = SYS_rt_sigsuspend, ppoll: Suspend;
    "sigpause" = SYS_rt_sigsuspend, ppoll: Suspend;
    "sigtimedwait" = SYS_rt_sigtimedwait, ppoll: Signals;
    "sigwaitinfo" = SYS_rt_sigtimedwait, ppoll: Signals;
    "sigwait" = SYS_rt_sigtimedwait, ppoll: Signals;
}

/// Calls `libc::pause`, stop-checked. pause(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no other signal has come.
///
/// # Safety
///
/// None is needed; `libc::pause` is unsafe, and this takes its place.
#[doc(alias = "pause")]
pub unsafe fn pause_or_stop() -> Result<c_int, Stopped> {
    // SAFETY: no descriptors, no time-out, no mask.
    outcome(unsafe { call(libc::SYS_ppoll, [0; 5]) }).map(|result| result as c_int)
}

/// Calls `libc::sigsuspend`, stop-checked. sigsuspend(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no other signal has come.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "sigsuspend")]
pub unsafe fn sigsuspend_or_stop(mask: *const sigset_t) -> Result<c_int, Stopped> {
    // SAFETY: null, which the kernel refuses, or the caller's mask.
    let mask = unsafe { given(mask as usize) }.map(mask::without);
    let args = [address(mask.as_ref()), KERNEL_MASK_SIZE];
    // SAFETY: the mask outlives the call.
    outcome(unsafe { call(libc::SYS_rt_sigsuspend, args) }).map(|result| result as c_int)
}

/// Waits with this signal taken off the thread's mask, stop-checked: `sigpause`.
/// sigpause(3), in System V's form, which takes a signal.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no other signal has come.
///
/// # Safety
///
/// None is needed; the C function is unsafe, and this takes its place.
#[doc(alias = "sigpause")]
pub unsafe fn sigpause_or_stop(signal: c_int) -> Result<c_int, Stopped> {
    let mut mask = mask::open_mask();
    // SAFETY: a local set, filled in.
    if unsafe { libc::sigdelset(&raw mut mask, signal) } != 0 {
        crate::check()?;
        return Ok(-1);
    }
    // SAFETY: the mask outlives the call.
    unsafe { sigsuspend_or_stop(&raw const mask) }
}

/// Calls `libc::sigtimedwait`, stop-checked. sigwaitinfo(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and no signal was taken.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "sigtimedwait")]
pub unsafe fn sigtimedwait_or_stop(
    set: *const sigset_t,
    info: *mut siginfo_t,
    timeout: *const timespec,
) -> Result<c_int, Stopped> {
    // SAFETY: null, which the kernel refuses, or the caller's set.
    let set = unsafe { given(set as usize) }.map(mask::without);
    let args = [address(set.as_ref()), info as usize, timeout as usize, KERNEL_MASK_SIZE];
    // SAFETY: the caller's info and time-out; the set outlives the call.
    outcome(unsafe { call(libc::SYS_rt_sigtimedwait, args) }).map(|signal| signal as c_int)
}

/// Calls `libc::sigwaitinfo`, stop-checked. sigwaitinfo(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and no signal was taken.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "sigwaitinfo")]
pub unsafe fn sigwaitinfo_or_stop(
    set: *const sigset_t,
    info: *mut siginfo_t,
) -> Result<c_int, Stopped> {
    // SAFETY: the caller's set and info.
    unsafe { sigtimedwait_or_stop(set, info, core::ptr::null()) }
}

/// Calls `libc::sigwait`, stop-checked. sigwait(3): an error number, 0 for success;
/// a handled signal does not end it.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and no signal was taken.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "sigwait")]
pub unsafe fn sigwait_or_stop(set: *const sigset_t, signal: *mut c_int) -> Result<c_int, Stopped> {
    loop {
        // SAFETY: the caller's set.
        let taken = unsafe { sigwaitinfo_or_stop(set, core::ptr::null_mut())? };
        if taken >= 0 {
            // SAFETY: the caller's place.
            unsafe { signal.write(taken) };
            return Ok(0);
        }
        // SAFETY: the calling thread's errno.
        let error = unsafe { *libc::__errno_location() };
        if error != libc::EINTR {
            return Ok(error);
        }
    }
}
