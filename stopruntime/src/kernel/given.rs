//! What a caller's pointer leads to, where the runtime has to look at it before
//! the kernel does.
//!
//! The kernel answers a null pointer with `EFAULT` and takes any alignment; what
//! is read here is read in the same way. What the kernel refuses without a look
//! (a size, a count) must not be looked at here either.
//!
//! # Safety
//!
//! The invariant of this module: an address is null, or the caller of the system
//! call has said that it leads to as many values of this type as are read.

#![allow(unsafe_code)]

use crate::kernel::abi::LongTime;
use libc::timespec;

/// The value there, or nothing if the pointer is null.
///
/// # Safety
///
/// The address is null or leads to a value of this type.
#[inline(always)]
pub(crate) unsafe fn given<T: Copy>(address: usize) -> Option<T> {
    let pointer = address as *const T;
    // SAFETY: not null, so a value; of any alignment.
    (!pointer.is_null()).then(|| unsafe { pointer.read_unaligned() })
}

/// The values of an array; none if the pointer is null.
///
/// # Safety
///
/// The address is null or leads to this many values.
pub(crate) unsafe fn each_given<T: Copy>(address: usize, count: usize) -> impl Iterator<Item = T> {
    let pointer = address as *const T;
    let count = if pointer.is_null() { 0 } else { count };
    // SAFETY: one of that many values; of any alignment.
    (0..count).map(move |at| unsafe { pointer.add(at).read_unaligned() })
}

/// Whether the kernel takes this for a time: the others it refuses with `EINVAL`.
pub(crate) fn is_time(time: timespec) -> bool {
    time.tv_sec >= 0 && (0..1_000_000_000).contains(&time.tv_nsec)
}

/// As [`is_time`].
pub(crate) fn is_long_time(time: LongTime) -> bool {
    time.seconds >= 0 && (0..1_000_000_000).contains(&time.nanoseconds)
}
