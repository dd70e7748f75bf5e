//! No window: an architecture without one has [`Backend::Ppoll`] alone, and
//! nothing here is ever called. The same names as in the files that have one.
//!
//! [`Backend::Ppoll`]: crate::Backend::Ppoll
//!
//! # Safety
//!
//! Nothing here does anything.

#![allow(unsafe_code)]

use super::{Descriptor, Line, STOPPED};
use core::ffi::c_void;
use core::sync::atomic::AtomicU64;

/// Whether there are windows.
pub(crate) const AVAILABLE: bool = false;

/// Nothing is registered with it.
pub(super) const SIGNATURE: u32 = 0;

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
pub(crate) unsafe fn abort_probe(_: *const AtomicU64, _: usize) -> bool {
    false
}

/// No descriptor.
pub(super) fn table() -> &'static [Descriptor] {
    &[]
}

/// Nowhere.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn program_counter(_: *const libc::ucontext_t) -> usize {
    0
}

/// Changes nothing.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn set_program_counter(_: *mut libc::ucontext_t, _: usize) {}

/// Nowhere.
pub(super) fn thread_pointer() -> *mut c_void {
    core::ptr::null_mut()
}
