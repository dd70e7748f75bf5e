//! The system call as it is.
//!
//! # Safety
//!
//! The invariant of this module: the caller answers for the system call.

#![allow(unsafe_code)]

use core::ffi::c_long;

pub(crate) const INTERRUPTED: isize = -(libc::EINTR as isize);
pub(crate) const UNSUPPORTED: isize = -(libc::ENOTSUP as isize);

/// The system call as it is: raw result, negated errno.
///
/// # Safety
///
/// As the system call itself.
pub(crate) unsafe fn plain(number: c_long, args: [usize; 6]) -> isize {
    // SAFETY: the caller answers for the call.
    let result =
        unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) };
    if result == -1 {
        // SAFETY: the calling thread's errno.
        -(unsafe { *libc::__errno_location() } as isize)
    } else {
        result as isize
    }
}
