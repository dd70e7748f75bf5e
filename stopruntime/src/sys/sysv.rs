//! Message queues and semaphores of System V. sysvipc(7).
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{address, by_hand, calls, outcome};
use crate::call::call;
use crate::kernel::abi::{self, LongTime};
use crate::kernel::given::given;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long, c_void};
use libc::{sembuf, size_t, ssize_t, timespec};

calls! {
    /// msgrcv(2).
    "msgrcv" msgrcv_or_stop(queue: c_int, message: *mut c_void, size: size_t, kind: c_long, flags: c_int) -> ssize_t
        = SYS_msgrcv(queue, message, size, kind, flags), ppoll: Msgrcv;
    /// msgsnd(2).
    "msgsnd" msgsnd_or_stop(queue: c_int, message: *const c_void, size: size_t, flags: c_int) -> c_int
        = SYS_msgsnd(queue, message, size, flags), ppoll: Msgsnd;
    /// semop(2).
    "semop" semop_or_stop(set: c_int, operations: *mut sembuf, count: size_t) -> c_int
        = SYS_semtimedop(set, operations, count, 0), ppoll: Semaphore;
}

by_hand! {
    "semtimedop" = SYS_semtimedop, ppoll: Semaphore;
}

/// Calls `libc::semtimedop`, stop-checked. semop(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "semtimedop")]
#[inline]
pub unsafe fn semtimedop_or_stop(
    set: c_int,
    operations: *mut sembuf,
    count: size_t,
    timeout: *const timespec,
) -> Result<c_int, Stopped> {
    // SAFETY: null or the caller's.
    let timeout = unsafe { given(timeout as usize) }.map(LongTime::of);
    let args = [set as usize, operations as usize, count, address(timeout.as_ref())];
    // SAFETY: the caller's operations; the time-out outlives the call.
    outcome(unsafe { call(abi::SYS_semtimedop, args) }).map(|result| result as c_int)
}
