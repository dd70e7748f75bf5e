//! The one gate through which every stop-checked system call goes: window in,
//! the request looked at on the way out, the result decoded.
//!
//! # Safety
//!
//! The invariant of this module: a window is only entered with the calling
//! thread's own line, and the caller answers for the system call itself.

#![allow(unsafe_code)]

use crate::stop::Stopped;
use crate::{current, ppoll, window};
use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicU32, Ordering};
use std::io;

/// Makes the system call unless a stop is requested before it begins or while
/// it waits. `Ok` is the raw result: negated errno for an error, `-EINTR` only
/// for a signal that is not a request.
///
/// # Safety
///
/// The call is sound with these arguments, also when it is made again after it
/// had no effect.
#[inline(always)]
pub(crate) unsafe fn call<const N: usize>(
    number: c_long,
    args: [usize; N],
) -> Result<isize, Stopped> {
    #[cfg(target_arch = "x86_64")]
    {
        let line = current::line();
        // SAFETY: this thread's line; the caller answers for the call.
        let raw = unsafe { window::syscall(line, number, args) };
        // SAFETY: as above.
        unsafe { settled(line, raw, number, args) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: the caller answers for the call.
    unsafe {
        ppoll::call(current::registered(), number, widen(args))
    }
}

/// The way out of a window: one test for three rare cases, which are a stop, a
/// request since, and a thread that has no window.
///
/// # Safety
///
/// As [`call`]; `raw` is what the window gave for this thread's `line`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn settled<const N: usize>(
    line: *const window::Line,
    raw: isize,
    number: c_long,
    args: [usize; N],
) -> Result<isize, Stopped> {
    // SAFETY: this thread's line.
    if unsafe { current::is_quiet(line) } {
        return Ok(raw);
    }
    // SAFETY: as above.
    unsafe { look_closer(raw, number, widen(args)) }
}

const fn widen<const N: usize>(args: [usize; N]) -> [usize; 6] {
    let mut all = [0; 6];
    let mut index = 0;
    while index < N {
        all[index] = args[index];
        index += 1;
    }
    all
}

/// # Safety
///
/// As [`call`]; `raw` is what the window gave.
#[cfg(target_arch = "x86_64")]
#[cold]
#[inline(never)]
unsafe fn look_closer(
    mut raw: isize,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    if current::record().is_none() {
        // The first marked call of this thread: nothing has happened yet.
        let record = current::registered();
        if !record.has_window() {
            // SAFETY: the caller answers for the call.
            return unsafe { ppoll::call(record, number, args) };
        }
        // SAFETY: as above, with this thread's own line.
        raw = unsafe { window::syscall(current::line(), number, args) };
    }
    let record = current::registered();
    if !record.has_window() {
        // SAFETY: the caller answers for the call.
        return unsafe { ppoll::call(record, number, args) };
    }
    if !record.requested() {
        return Ok(raw);
    }
    record.settle();
    let interrupted = raw == -(libc::EINTR as isize) && record.must_stop();
    if raw == window::STOPPED || interrupted {
        return Err(Stopped::new());
    }
    Ok(raw)
}

/// The raw result as std has it.
#[inline(always)]
pub(crate) fn decode(raw: isize) -> io::Result<usize> {
    if raw >= 0 { Ok(raw.cast_unsigned()) } else { Err(error(raw)) }
}

#[cold]
fn error(raw: isize) -> io::Error {
    io::Error::from_raw_os_error(errno(raw))
}

/// The errno in a raw result that is negative.
pub(crate) fn errno(raw: isize) -> c_int {
    raw.unsigned_abs() as c_int
}

/// Whether the raw result says that a signal other than a request came first.
#[inline(always)]
pub(crate) fn is_interrupted(raw: isize) -> bool {
    raw == -(libc::EINTR as isize)
}

/// Waits, stop-checked, while the word has this value. futex(2).
pub(crate) fn wait_while(word: &AtomicU32, value: u32) -> Result<(), Stopped> {
    let operation = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    while word.load(Ordering::Acquire) == value {
        let args = [word.as_ptr() as usize, operation, value as usize, 0];
        // SAFETY: the word outlives the call; no time-out is given.
        let raw = unsafe { call(libc::SYS_futex, args)? };
        assert!(raw != -(libc::ENOTSUP as isize), "stopruntime: a stoppable futex wait on the ppoll backend takes Linux 5.16 (futex_waitv)");
    }
    Ok(())
}
