//! No window: an architecture without one has [`Backend::Ppoll`] alone, and
//! nothing here is ever called. The same names as in the files that have one.
//!
//! That backend makes its system calls through libc, with or without windows. They
//! are function calls, across which the compiler keeps no more in registers than
//! the ABI lets it; what the kernel destroys besides is between it and libc.
//!
//! [`Backend::Ppoll`]: crate::Backend::Ppoll
//!
//! # Safety
//!
//! Nothing here does anything.

#![allow(unsafe_code)]
#![allow(non_upper_case_globals, reason = "libc's name")]

use crate::window::{Descriptor, Line, STOPPED};
use core::ffi::c_void;
use core::sync::atomic::AtomicUsize;

/// Whether there are windows.
pub(crate) const AVAILABLE: bool = false;

/// Stands in for libc's `ucontext_t`, which the libc crate does not have
/// everywhere; there is never one.
pub(crate) struct Context {
    pub(crate) uc_sigmask: libc::sigset_t,
}

/// The number of no call.
pub(crate) const SYS_rseq: libc::c_long = -1;

/// Nothing is registered with it.
pub(crate) const SIGNATURE: u32 = 0;

/// No system call is made.
///
/// # Safety
///
/// None needed.
#[inline(always)]
pub(crate) unsafe fn syscall<const N: usize>(
    _: *const Line,
    _: libc::c_long,
    _: [usize; N],
) -> isize {
    STOPPED
}

/// No system call is made.
///
/// # Safety
///
/// None needed.
#[cfg(feature = "__testing")]
pub(crate) unsafe fn syscall_widened(
    _: *const Line,
    _: libc::c_long,
    _: [usize; 3],
    _: usize,
) -> isize {
    STOPPED
}

/// Nothing is aborted.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn abort_probe(_: *const AtomicUsize, _: usize) -> bool {
    false
}

/// No descriptor.
pub(crate) fn table() -> &'static [Descriptor] {
    &[]
}

/// Nowhere.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn program_counter(_: *const Context) -> usize {
    0
}

/// Changes nothing.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn set_program_counter(_: *mut Context, _: usize) {}

/// Nowhere.
pub(crate) fn thread_pointer() -> *mut c_void {
    core::ptr::null_mut()
}
