//! Message queues, semaphores and futexes.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{address, calls, outcome};
use crate::abi::{self, LongTime};
use crate::call::call;
use crate::given::given;
use crate::stop::Stopped;
use core::ffi::{c_char, c_int, c_long, c_uint, c_void};
use libc::{clockid_t, futex_waitv, mqd_t, sembuf, size_t, ssize_t, timespec};

calls! {
    /// `mq_receive(3)`.
    "mq_receive" mq_receive_or_stop(queue: mqd_t, buffer: *mut c_char, length: size_t, priority: *mut c_uint) -> ssize_t
        = SYS_mq_timedreceive(queue, buffer, length, priority, 0);
    /// `mq_receive(3)`; the time-out is a time on `CLOCK_REALTIME`.
    "mq_timedreceive" mq_timedreceive_or_stop(
        queue: mqd_t, buffer: *mut c_char, length: size_t, priority: *mut c_uint, deadline: *const timespec,
    ) -> ssize_t = SYS_mq_timedreceive(queue, buffer, length, priority, deadline);
    /// `mq_send(3)`.
    "mq_send" mq_send_or_stop(queue: mqd_t, data: *const c_char, length: size_t, priority: c_uint) -> c_int
        = SYS_mq_timedsend(queue, data, length, priority, 0);
    /// `mq_send(3)`; the time-out is a time on `CLOCK_REALTIME`.
    "mq_timedsend" mq_timedsend_or_stop(
        queue: mqd_t, data: *const c_char, length: size_t, priority: c_uint, deadline: *const timespec,
    ) -> c_int = SYS_mq_timedsend(queue, data, length, priority, deadline);
    /// msgrcv(2).
    "msgrcv" msgrcv_or_stop(queue: c_int, message: *mut c_void, size: size_t, kind: c_long, flags: c_int) -> ssize_t
        = SYS_msgrcv(queue, message, size, kind, flags);
    /// msgsnd(2).
    "msgsnd" msgsnd_or_stop(queue: c_int, message: *const c_void, size: size_t, flags: c_int) -> c_int
        = SYS_msgsnd(queue, message, size, flags);
    /// semop(2).
    "semop" semop_or_stop(set: c_int, operations: *mut sembuf, count: size_t) -> c_int
        = SYS_semtimedop(set, operations, count, 0);
    /// futex(2), by its kernel signature: `FUTEX_WAIT`, `FUTEX_WAIT_BITSET` and
    /// `FUTEX_LOCK_PI` wait. Stopped, no wake-up was consumed and no lock taken.
    "futex" futex_or_stop(
        word: *mut u32, operation: c_int, value: u32, timeout: *const timespec, second: *mut u32, third: u32,
    ) -> c_long = SYS_futex(word, operation, value, timeout, second, third);
}

/// `libc::semtimedop`, stop-checked. semop(2).
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

/// `futex_waitv(2)`, stop-checked: the index of a word that was woken. libc has
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
