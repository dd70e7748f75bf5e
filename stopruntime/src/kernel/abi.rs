//! Where the kernel's interface is another one for some architectures:
//! numbers that the libc crate does not have, arguments of 64 bits on
//! processors of 32, and times.
//!
//! On 32 bits libc's `timespec` has words of 32 bits, as the numbers without
//! `_time64` take them; later calls take only words of 64 bits.

#![allow(non_upper_case_globals, reason = "libc's names")]

use core::time::Duration;
use libc::timespec;

/// All items of libc. A definition below replaces libc's of the same name.
pub(crate) use libc::*;

// The layout with which the numbers here are called.
const _: () = assert!(
    size_of::<timespec>() == 2 * size_of::<usize>(),
    "stopruntime: on this architecture the times of libc and of its system calls differ"
);

/// No call's number: here it is one of those of socketcall(2).
#[cfg(any(target_arch = "x86", target_arch = "s390x", target_arch = "m68k"))]
pub(crate) const SYS_accept: c_long = -1;

/// What the numbers that came to all architectures at once are counted from.
#[allow(dead_code, reason = "where libc has them all")]
const FIRST: c_long =
    if cfg!(any(target_arch = "mips", target_arch = "mips32r6")) { 4000 } else { 0 };

/// Linux 5.1, where there was only ipc(2).
#[cfg(any(
    target_arch = "x86",
    target_arch = "s390x",
    target_arch = "m68k",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "sparc",
    target_arch = "sparc64"
))]
mod ipc {
    use super::FIRST;
    use libc::c_long;

    pub(crate) const SYS_msgsnd: c_long = FIRST + 400;
    pub(crate) const SYS_msgrcv: c_long = FIRST + 401;
    #[cfg(target_pointer_width = "64")]
    pub(crate) const SYS_semtimedop: c_long = 392;
}
#[cfg(any(
    target_arch = "x86",
    target_arch = "s390x",
    target_arch = "m68k",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "sparc",
    target_arch = "sparc64"
))]
pub(crate) use ipc::*;

/// `semtimedop_time64`, Linux 5.1.
#[cfg(target_pointer_width = "32")]
pub(crate) const SYS_semtimedop: c_long = FIRST + 420;

/// With the flags before the places, which so begin at an even register
/// (`sync_file_range(2)`).
#[cfg(target_arch = "arm")]
pub(crate) const SYS_sync_file_range: c_long = 341;
#[cfg(any(target_arch = "powerpc", target_arch = "powerpc64"))]
pub(crate) const SYS_sync_file_range: c_long = libc::SYS_sync_file_range2;

/// With places in a file of 64 bits, as open file description locks have them.
#[cfg(target_pointer_width = "32")]
pub(crate) const SYS_fcntl: c_long = libc::SYS_fcntl64;

/// A time for the calls that know only those of 64 bits (`struct
/// __kernel_timespec`, `linux/time_types.h`).
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct LongTime {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: i64,
}

impl LongTime {
    #[allow(clippy::useless_conversion, reason = "not on 32 bits")]
    pub(crate) fn of(time: timespec) -> LongTime {
        LongTime { seconds: time.tv_sec.into(), nanoseconds: time.tv_nsec.into() }
    }

    /// Returns what is left of a time-out after this long, zero if it is over.
    pub(crate) fn less(self, passed: Duration) -> LongTime {
        let seconds = u64::try_from(self.seconds).unwrap_or(0);
        let nanoseconds = u32::try_from(self.nanoseconds).unwrap_or(0);
        let left = Duration::new(seconds, nanoseconds).saturating_sub(passed);
        LongTime {
            seconds: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: left.subsec_nanos().into(),
        }
    }
}

/// The upper half of a place in a file: a register of its own, of which the
/// kernel makes nothing on 64 bits (preadv(2)).
#[inline(always)]
pub(crate) fn upper(offset: impl Into<i64>) -> usize {
    if size_of::<usize>() == 8 { 0 } else { (offset.into() >> 32) as usize }
}

/// `struct flock64` (fcntl(2)), which open file description locks take.
#[cfg(target_pointer_width = "32")]
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct LongLock {
    pub(crate) l_type: c_short,
    pub(crate) l_whence: c_short,
    pub(crate) l_start: i64,
    pub(crate) l_len: i64,
    pub(crate) l_pid: pid_t,
}

/// Its commands, where libc's own are the older ones.
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
mod locks {
    use core::ffi::c_int;

    const IS_MIPS: bool = cfg!(any(target_arch = "mips", target_arch = "mips32r6"));
    pub(crate) const F_SETLKW64: c_int = if IS_MIPS { 35 } else { 14 };
}
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
pub(crate) use locks::*;
