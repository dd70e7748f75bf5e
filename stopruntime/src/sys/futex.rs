//! Futexes. futex(7).
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{address, by_hand, calls, outcome};
use crate::call::call;
use crate::kernel::abi::LongTime;
use crate::kernel::given::given;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long, c_uint};
use libc::{clockid_t, futex_waitv, timespec};

calls! {
    /// futex(2), by its kernel signature: `FUTEX_WAIT`, `FUTEX_WAIT_BITSET` and
    /// `FUTEX_LOCK_PI` wait. If stopped, they have consumed no wake-up and taken no lock.
    "futex" futex_or_stop(
        word: *mut u32, operation: c_int, value: u32, timeout: *const timespec, second: *mut u32, third: u32,
    ) -> c_long = SYS_futex(word, operation, value, timeout, second, third), ppoll: Futex;
}

by_hand! {
    "futex_waitv" = SYS_futex_waitv, ppoll: FutexWaitv;
}

/// Waits for several words, stop-checked, and returns the index of one that was woken.
///
/// It is `futex_waitv(2)`. libc has
/// no function for it.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and no wake-up was consumed.
///
/// # Safety
///
/// As the system call.
#[doc(alias = "futex_waitv")]
#[inline]
pub unsafe fn futex_waitv_or_stop(
    words: *const futex_waitv,
    count: c_uint,
    flags: c_uint,
    deadline: *const timespec,
    clock: clockid_t,
) -> Result<c_long, Stopped> {
    // SAFETY: null or the caller's.
    let deadline = unsafe { given(deadline as usize) }.map(LongTime::of);
    let deadline = address(deadline.as_ref());
    let args = [words as usize, count as usize, flags as usize, deadline, clock as usize];
    // SAFETY: the caller's words; the deadline outlives the call.
    outcome(unsafe { call(libc::SYS_futex_waitv, args) }).map(|result| result as c_long)
}
