//! Where the kernel's interface is another one for some architectures:
//! numbers that the libc crate does not have, arguments of 64 bits on
//! processors of 32, and times.
//!
//! On 32 bits libc's `timespec` has words of 32 bits, as the numbers without
//! `_time64` take them; the calls that came later know none but those of 64.

#![allow(non_upper_case_globals, reason = "libc's names")]

use libc::timespec;

/// All of them; what is defined below takes the place of what has that name
/// there.
pub(crate) use libc::*;

// The layout with which the numbers here are called.
const _: () = assert!(
    size_of::<timespec>() == 2 * size_of::<usize>(),
    "stopruntime: on this architecture libc's times are not those of its system calls"
);

/// Nobody's number: there it is one of those of socketcall(2).
#[cfg(any(target_arch = "x86", target_arch = "s390x", target_arch = "m68k"))]
pub(crate) const SYS_accept: c_long = -1;

/// Linux 5.1, where there was only ipc(2).
#[cfg(any(
    target_arch = "x86",
    target_arch = "s390x",
    target_arch = "powerpc64",
    target_arch = "sparc64"
))]
mod ipc {
    use libc::c_long;

    pub(crate) const SYS_msgsnd: c_long = 400;
    pub(crate) const SYS_msgrcv: c_long = 401;
    #[cfg(target_pointer_width = "64")]
    pub(crate) const SYS_semtimedop: c_long = 392;
}
#[cfg(any(
    target_arch = "x86",
    target_arch = "s390x",
    target_arch = "powerpc64",
    target_arch = "sparc64"
))]
pub(crate) use ipc::*;

/// `semtimedop_time64`, Linux 5.1: the same number everywhere.
#[cfg(target_pointer_width = "32")]
pub(crate) const SYS_semtimedop: c_long = 420;

/// With places in a file of 64 bits, as open file description locks have them.
#[cfg(target_pointer_width = "32")]
pub(crate) const SYS_fcntl: c_long = libc::SYS_fcntl64;

/// A time for the calls that know only those of 64 bits (`struct
/// __kernel_timespec`, `linux/time_types.h`).
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct LongTime {
    seconds: i64,
    nanoseconds: i64,
}

impl LongTime {
    #[allow(clippy::useless_conversion, reason = "not on 32 bits")]
    pub(crate) fn of(time: timespec) -> LongTime {
        LongTime { seconds: time.tv_sec.into(), nanoseconds: time.tv_nsec.into() }
    }
}

/// The upper half of a place in a file: a register of its own, of which the
/// kernel makes nothing on 64 bits (preadv(2)).
#[inline(always)]
pub(crate) fn upper(offset: impl Into<i64>) -> usize {
    if size_of::<usize>() == 8 { 0 } else { (offset.into() >> 32) as usize }
}

/// `struct flock64` and its commands, where libc's own type and commands are
/// the older ones.
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
mod locks {
    use core::ffi::c_int;

    pub(crate) use libc::flock64 as LongLock;
    pub(crate) const F_SETLK64: c_int = 13;
    pub(crate) const F_SETLKW64: c_int = 14;
}
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
pub(crate) use locks::*;

#[cfg(all(target_pointer_width = "32", not(target_env = "gnu")))]
pub(crate) use libc::flock as LongLock;
