//! System calls of a handler, and what a pointer of the foreign code leads to.
//!
//! The kernel answers a bad pointer with `EFAULT`; a handler that followed it would end
//! the process. So what the kernel has not looked at itself is read through it.
//!
//! # Safety
//!
//! The invariant of this module: a call is one that the foreign code was about to make,
//! in a form that does not wait, or one with places of our own.

#![allow(unsafe_code)]

use core::ffi::c_long;
use core::mem::MaybeUninit;

pub(super) const CANCELED: isize = -(libc::ECANCELED as isize);
pub(super) const AGAIN: isize = -(libc::EAGAIN as isize);

/// The raw result; errno is the caller's affair.
///
/// # Safety
///
/// The call is sound with these arguments.
pub(super) unsafe fn plain<const N: usize>(number: c_long, args: [usize; N]) -> isize {
    // The stack is that of a signal handler, and small: no frames of std's, which a debug
    // build has for what copies a slice.
    let all: [usize; 6] = {
        let mut all = [0; 6];
        let mut at = 0;
        while at < N {
            all[at] = args[at];
            at += 1;
        }
        all
    };
    // SAFETY: the caller's promise.
    let result = unsafe { libc::syscall(number, all[0], all[1], all[2], all[3], all[4], all[5]) };
    if result == -1 {
        // SAFETY: the calling thread's errno.
        -(unsafe { *libc::__errno_location() } as isize)
    } else {
        result as isize
    }
}

/// The seconds and nanoseconds of `CLOCK_REALTIME`.
pub(super) fn now() -> [i64; 2] {
    let mut now = [0; 2];
    let place = &raw mut now as usize;
    // SAFETY: a place for a time, which outlives the call.
    unsafe { plain(libc::SYS_clock_gettime, [libc::CLOCK_REALTIME as usize, place]) };
    now
}

/// What lies at an address of the foreign code's; none if nothing does.
pub(super) fn given<T: Copy>(address: usize) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: a place of this length.
    let whole = unsafe { copy_in(address, value.as_mut_ptr().cast(), size_of::<T>()) };
    // SAFETY: filled in; `T` is a type of the kernel's, of integers.
    whole.then(|| unsafe { value.assume_init() })
}

/// Whether a time that is pointed to is one of no length; `None` if there is none.
pub(super) fn time(address: usize) -> Option<bool> {
    given::<[i64; 2]>(address).map(|time| time == [0, 0])
}

/// Copies from an address of the foreign code's. Returns false if a part is not mapped.
///
/// # Safety
///
/// `to` is a place of this length.
pub(super) unsafe fn copy_in(from: usize, to: *mut u8, length: usize) -> bool {
    if from == 0 {
        return false;
    }
    let local = libc::iovec { iov_base: to.cast(), iov_len: length };
    let remote = libc::iovec { iov_base: from as *mut _, iov_len: length };
    // SAFETY: takes no argument.
    let process = unsafe { libc::getpid() };
    let (local, remote) = (&raw const local as usize, &raw const remote as usize);
    // SAFETY: two places, which outlive the call.
    let copied =
        unsafe { plain(libc::SYS_process_vm_readv, [process as usize, local, 1, remote, 1, 0]) };
    // mutant: bad-pointer-is-not-followed
    if is_refused(copied) {
        // SAFETY: the foreign code has handed it to the kernel to be read.
        unsafe { core::ptr::copy_nonoverlapping(from as *const u8, to, length) };
        return true;
    }
    copied == length.cast_signed()
}

/// Puts a value where the foreign code wants it; false if it cannot be there.
pub(super) fn put<T: Copy>(address: usize, value: &T) -> bool {
    let length = size_of::<T>();
    let local = libc::iovec { iov_base: core::ptr::from_ref(value) as *mut _, iov_len: length };
    let remote = libc::iovec { iov_base: address as *mut _, iov_len: length };
    // SAFETY: takes no argument.
    let process = unsafe { libc::getpid() } as usize;
    let (local, remote) = (&raw const local as usize, &raw const remote as usize);
    // SAFETY: two places, which outlive the call.
    let copied = unsafe { plain(libc::SYS_process_vm_writev, [process, local, 1, remote, 1, 0]) };
    if is_refused(copied) {
        // SAFETY: the foreign code has handed it to the kernel to be written.
        unsafe { (address as *mut T).write_unaligned(*value) };
        return true;
    }
    copied == length.cast_signed()
}

/// Forbidden, or not there: then it is done as the kernel would have.
fn is_refused(raw: isize) -> bool {
    raw == -(libc::ENOSYS as isize) || raw == -(libc::EPERM as isize)
}
