//! What `io_uring_enter(2)` waits with: a signal mask of its own, in which the
//! stop signal has to be open.
//!
//! # Safety
//!
//! The invariant of this module: an argument is only read as what the flags
//! beside it say that it is.

#![allow(unsafe_code)]

use crate::ppoll::mask;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use core::ffi::c_uint;

/// Waits for completions. The flags are those of `linux/io_uring.h`.
pub(crate) const GETEVENTS: c_uint = 1 << 0;
/// Waits for room among the submissions; no mask applies.
pub(crate) const SQ_WAIT: c_uint = 1 << 2;
/// The argument is a [`GetEvents`].
pub(crate) const EXT_ARG: c_uint = 1 << 3;
/// The argument is the place of one in memory that was registered before.
pub(crate) const EXT_ARG_REG: c_uint = 1 << 6;

/// `struct io_uring_getevents_arg` (`linux/io_uring.h`).
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct GetEvents {
    mask: u64,
    mask_size: u32,
    min_wait: u32,
    timeout: u64,
}

impl GetEvents {
    /// Its mask or, if it has none, the thread's own; with the stop signal
    /// open.
    ///
    /// # Safety
    ///
    /// The mask is 0 or the address of one of that size.
    pub(crate) unsafe fn opened(&self) -> libc::sigset_t {
        // SAFETY: the caller's mask.
        unsafe { mask::opened(self.mask as usize, self.mask_size as usize) }
    }

    /// The same with another mask, which has to outlive its use.
    pub(crate) fn with(self, mask: &libc::sigset_t) -> GetEvents {
        let mask = core::ptr::from_ref(mask) as u64;
        GetEvents { mask, mask_size: KERNEL_MASK_SIZE as u32, ..self }
    }
}

/// Enters with an argument (address and size) in whose mask the stop signal is
/// open: the caller's or, if it gave none and there `must_be` one, the thread's
/// own.
///
/// # Safety
///
/// The argument is what the call takes with these flags.
#[inline]
pub(crate) unsafe fn with_open_mask<R>(
    flags: c_uint,
    argument: [usize; 2],
    must_be: bool,
    enter: impl FnOnce([usize; 2]) -> R,
) -> R {
    let [address, size] = argument;
    let is_mask = flags & (EXT_ARG | EXT_ARG_REG) == 0;
    let is_structure = flags & (EXT_ARG | EXT_ARG_REG) == EXT_ARG;
    if is_mask && (address != 0 || must_be) {
        // SAFETY: the caller's mask, if it gave one.
        let mask = unsafe { mask::opened(address, size) };
        return enter([&raw const mask as usize, KERNEL_MASK_SIZE]);
    }
    // Of another size the kernel refuses it.
    if is_structure && address != 0 && size == size_of::<GetEvents>() {
        // SAFETY: the caller's structure.
        let given = unsafe { (address as *const GetEvents).read_unaligned() };
        if given.mask != 0 || must_be {
            // SAFETY: the caller's mask, if it gave one.
            let mask = unsafe { given.opened() };
            let opened = given.with(&mask);
            return enter([&raw const opened as usize, size]);
        }
    }
    enter(argument)
}
