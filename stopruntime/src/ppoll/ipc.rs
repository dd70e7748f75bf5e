//! Message queues and semaphores.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::spoiled::{Part, once, wait};
use crate::kernel::abi::LongTime;
use crate::kernel::clock::now;
use crate::kernel::given::{given, is_long_time, is_time};
use crate::kernel::plain::{UNSUPPORTED, plain};
use crate::runtime::futex::timespec;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::{c_long, c_void};
use std::time::Duration;

/// `mq_timedreceive(2)` and `mq_timedsend(2)`: the time-out is the fifth argument.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn deadline(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    // SAFETY: the caller's deadline, if it gave one.
    let mut deadline = unsafe { given(args[4]) }.unwrap_or(timespec(Duration::MAX));
    if !is_time(deadline) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    args[4] = &raw mut deadline as usize;
    // SAFETY: the caller's call, with a copy of its deadline.
    unsafe { wait(record, number, args, Part::all_ones(&raw mut deadline, libc::EINVAL)) }
}

/// msgrcv(2): the message if there is one. The call is told all in registers.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn msgrcv(number: c_long, mut args: [usize; 6]) -> isize {
    let asked = args[4];
    args[4] |= libc::IPC_NOWAIT as usize;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(number, args) };
    let waits = asked & libc::IPC_NOWAIT as usize == 0 && raw == -(libc::ENOMSG as isize);
    if waits { UNSUPPORTED } else { raw }
}

/// msgsnd(2): if it has to wait, with a copy of the message.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn msgsnd(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    const KIND: usize = size_of::<c_long>();

    let [queue, message, length, flags, ..] = args;
    args[3] |= libc::IPC_NOWAIT as usize;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(number, args) };
    let asked = flags & libc::IPC_NOWAIT as usize != 0;
    if asked || raw != -(libc::EAGAIN as isize) {
        return Ok(raw);
    }
    // In words, so that it is aligned as a message is.
    let mut copy = vec![0 as c_long; 1 + length.div_ceil(KIND)];
    // SAFETY: the caller's message, which the kernel has just read.
    unsafe {
        let bytes = copy.as_mut_ptr().cast::<u8>();
        (message as *const u8).copy_to_nonoverlapping(bytes, KIND + length);
    }
    let kind = copy.as_mut_ptr();
    let args = [queue, kind.cast::<c_void>() as usize, length, flags, 0, 0];
    // SAFETY: the caller's call, with a copy of its message.
    unsafe { wait(record, number, args, Part::all_ones(kind, libc::EINVAL)) }
}

/// semtimedop(2): the time-out is the fourth argument.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn semaphore(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    // SAFETY: the caller's time-out, if it gave one.
    let mut left = unsafe { given(args[3]) }.unwrap_or(LongTime::of(timespec(Duration::MAX)));
    if !is_long_time(left) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    let begin = now(libc::CLOCK_MONOTONIC);
    let timeout = left;
    args[3] = &raw mut left as usize;
    loop {
        let part = Part::all_ones(&raw mut left, libc::EINVAL);
        // SAFETY: the caller's call, with a copy of its time-out.
        if let Some(raw) = unsafe { once(record, number, args, part)? } {
            return Ok(raw);
        }
        left = timeout.less(now(libc::CLOCK_MONOTONIC).saturating_sub(begin));
    }
}
