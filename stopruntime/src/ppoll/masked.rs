//! Calls that wait with a signal mask of their own: the stop signal is opened
//! in it.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::inside::inside;
use super::mask::opened;
use crate::kernel::given::given;
use crate::kernel::plain::{INTERRUPTED, UNSUPPORTED, plain};
use crate::runtime::installed;
use crate::runtime::record::Record;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use crate::scope::Stopped;
use crate::uring::mask as uring;
use core::ffi::{c_long, c_uint};

/// Makes the call, which opens the stop signal by its own mask.
///
/// # Safety
///
/// As the call.
unsafe fn open(record: &Record, number: c_long, args: [usize; 6]) -> Result<isize, Stopped> {
    // SAFETY: the caller's call.
    let raw = inside(record, || unsafe { plain(number, args) })?;
    // mutant: masked-wait-reports-stop
    if raw == INTERRUPTED {
        record.check()?;
    }
    Ok(raw)
}

/// Whether the kernel refuses a mask for its size, without a look at it.
fn is_refused(mask: usize, size: usize) -> bool {
    mask != 0 && size != KERNEL_MASK_SIZE
}

/// `epoll_pwait(2)`, `epoll_pwait2(2)`: the mask is the fifth argument.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn epoll(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    if is_refused(args[4], args[5]) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    // SAFETY: the caller's mask.
    let mask = unsafe { opened(args[4], args[5]) };
    args[4] = &raw const mask as usize;
    args[5] = KERNEL_MASK_SIZE;
    // SAFETY: the caller's call; the mask outlives it.
    unsafe { open(record, number, args) }
}

/// `epoll_wait(2)`, as `epoll_pwait`.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn epoll_wait(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let [descriptor, events, count, timeout, ..] = args;
    let args = [descriptor, events, count, timeout, 0, 0];
    // SAFETY: the caller's call.
    unsafe { epoll(record, libc::SYS_epoll_pwait, args) }
}

/// `io_uring_enter(2)`: the mask is the fifth argument, or in the structure that
/// it points to.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn ring(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    let [ring, submit, complete, flags, address, size] = args;
    let wanted = flags as c_uint;
    if wanted & (uring::SQ_WAIT | uring::EXT_ARG_REG) != 0 {
        return Ok(UNSUPPORTED);
    }
    if wanted & uring::GETEVENTS == 0 {
        // SAFETY: the caller's call; it does not wait.
        return Ok(unsafe { plain(number, args) });
    }
    let enter = |[address, size]: [usize; 2]| {
        let args = [ring, submit, complete, flags, address, size];
        // SAFETY: the caller's call; the argument outlives it.
        unsafe { open(record, number, args) }
    };
    // SAFETY: the caller's argument.
    unsafe { uring::with_open_mask(wanted, [address, size], true, enter) }
}

/// pselect6: the last argument points to a mask and its size.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn select(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    // SAFETY: the caller's pair, if it gave one.
    let [mask, size] = unsafe { given(args[5]) }.unwrap_or([0; 2]);
    if is_refused(mask, size) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    // SAFETY: the caller's mask.
    let mask = unsafe { opened(mask, size) };
    let sized = [&raw const mask as usize, KERNEL_MASK_SIZE];
    args[5] = &raw const sized as usize;
    // SAFETY: the caller's call; the mask outlives it.
    unsafe { open(record, number, args) }
}

/// `rt_sigsuspend`.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn suspend(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    if args[0] == 0 || is_refused(args[0], args[1]) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    // SAFETY: the caller's mask.
    let mask = unsafe { opened(args[0], args[1]) };
    args[0] = &raw const mask as usize;
    args[1] = KERNEL_MASK_SIZE;
    // SAFETY: the caller's call; the mask outlives it.
    unsafe { open(record, number, args) }
}

/// `rt_sigtimedwait` has no mask: the stop signal, which is blocked, is waited
/// for like the others.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn signals(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    if args[0] == 0 || is_refused(args[0], args[3]) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    // SAFETY: the caller's set.
    let mut set = unsafe { opened(args[0], args[3]) };
    // SAFETY: a local set.
    // mutant: sigwait-includes-stop-signal
    unsafe { libc::sigaddset(&raw mut set, installed::signal()) };
    args[0] = &raw const set as usize;
    args[3] = KERNEL_MASK_SIZE;
    // SAFETY: the caller's call; the set outlives it.
    let raw = unsafe { open(record, number, args)? };
    if raw != installed::signal() as isize {
        return Ok(raw);
    }
    // The request's signal, or a stray one of that number.
    record.check().map(|()| INTERRUPTED)
}
