//! System calls by number, stop-checked.
//!
//! # Safety
//!
//! The functions here are as unsafe as the system call they make.

#![allow(unsafe_code)]

use crate::call;
use crate::stop::Stopped;
use core::ffi::c_long;

/// Any system call, stop-checked: as syscall(2), -1 and `errno` for an error.
///
/// On [`Backend::Ppoll`](crate::Backend::Ppoll) a call that cannot be made
/// stoppable fails with `ENOTSUP`.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// The system call is sound with these arguments. `close` must not be made
/// this way: interrupted or not, it releases the descriptor (close(2)).
///
/// ```
/// let pid = unsafe { stopruntime::sys::syscall_or_stop(libc::SYS_getpid, [0; 6]) };
/// # if stopruntime::backend() != stopruntime::Backend::Ppoll {
/// assert_eq!(pid, Ok(std::process::id().into()));
/// # }
/// ```
#[doc(alias = "syscall")]
#[inline(always)]
pub unsafe fn syscall_or_stop(number: c_long, args: [usize; 6]) -> Result<c_long, Stopped> {
    // SAFETY: the caller answers for the call.
    let raw = unsafe { call::call(number, args) }.or_stop()?;
    if (-4095..0).contains(&raw) {
        return Ok(fail(raw));
    }
    Ok(raw as c_long)
}

#[cold]
fn fail(raw: isize) -> c_long {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = call::errno(raw) };
    -1
}
