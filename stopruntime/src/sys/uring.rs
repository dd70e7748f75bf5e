//! Waiting for the completions of a ring. libc has no functions for it.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{by_hand, outcome};
use crate::call::call;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use crate::scope::Stopped;
use crate::uring::mask::with_open_mask;
use core::ffi::{c_int, c_uint, c_void};
use libc::{sigset_t, size_t};

by_hand! {
    "io_uring_enter" = SYS_io_uring_enter, ppoll: Ring;
    "io_uring_enter2" = SYS_io_uring_enter, ppoll: Ring;
}

/// Makes the call `io_uring_enter(2)`, stop-checked; its fifth argument is a mask.
///
/// Completions are never lost: they stay in the ring.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, nothing was submitted and no completion
/// was there. Otherwise the call returns how many were submitted, also where it
/// was to wait for more.
///
/// # Safety
///
/// As the system call.
#[doc(alias = "io_uring_enter")]
pub unsafe fn io_uring_enter_or_stop(
    ring: c_uint,
    submit: c_uint,
    complete: c_uint,
    flags: c_uint,
    mask: *const sigset_t,
) -> Result<c_int, Stopped> {
    // SAFETY: the caller's call.
    unsafe { io_uring_enter2_or_stop(ring, submit, complete, flags, mask.cast(), KERNEL_MASK_SIZE) }
}

/// Makes the call `io_uring_enter(2)`, stop-checked, by its kernel signature: the argument is
/// a mask or, with `IORING_ENTER_EXT_ARG`, a structure with a mask and a
/// time-out, of this size.
///
/// The mask is taken without the stop signal; one in registered memory
/// (`IORING_ENTER_EXT_ARG_REG`) has to leave it open. On
/// [`Backend::Ppoll`](crate::Backend::Ppoll) that flag and
/// `IORING_ENTER_SQ_WAIT` fail with `ENOTSUP`, and a ring that is polled
/// (`IORING_SETUP_IOPOLL`) is waited for until its input and output are done.
///
/// # Errors
///
/// As [`io_uring_enter_or_stop`].
///
/// # Safety
///
/// As the system call.
#[doc(alias = "io_uring_enter2")]
pub unsafe fn io_uring_enter2_or_stop(
    ring: c_uint,
    submit: c_uint,
    complete: c_uint,
    flags: c_uint,
    argument: *const c_void,
    size: size_t,
) -> Result<c_int, Stopped> {
    let enter = |[argument, size]: [usize; 2]| {
        let [ring, submit, complete, wait] = [ring, submit, complete, flags].map(|it| it as usize);
        let args = [ring, submit, complete, wait, argument, size];
        // SAFETY: the caller's call; the argument outlives it.
        outcome(unsafe { call(libc::SYS_io_uring_enter, args) })
    };
    // SAFETY: the caller's argument.
    let result = unsafe { with_open_mask(flags, [argument as usize, size], false, enter) };
    result.map(|value| value as c_int)
}
