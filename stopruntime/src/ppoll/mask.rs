//! The masks that the backend without windows waits with.
//!
//! # Safety
//!
//! The invariant of this module: sets are local, and filled in before they are
//! used.

#![allow(unsafe_code)]

use crate::runtime::install;
use crate::runtime::installed;
use crate::runtime::signal::KERNEL_MASK_SIZE;

/// The calling thread's mask without the stop signal: what `ppoll` waits with.
pub(crate) fn open_mask() -> libc::sigset_t {
    // SAFETY: a local set that pthread_sigmask fills in.
    let set = unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, core::ptr::null(), &raw mut set);
        set
    };
    without(set)
}

/// The caller's mask or, if it gave none, the thread's own; with the stop
/// signal open.
///
/// # Safety
///
/// `mask` is 0 or the address of a mask.
pub(crate) unsafe fn opened(mask: usize, size: usize) -> libc::sigset_t {
    if mask == 0 {
        return open_mask();
    }
    // SAFETY: zeroed is a set; and the caller's mask, of the size that it says,
    // into the first bytes of ours.
    let set = unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        let bytes = size.min(KERNEL_MASK_SIZE);
        core::ptr::copy_nonoverlapping(mask as *const u8, (&raw mut set).cast::<u8>(), bytes);
        set
    };
    // mutant: signal-open-in-callers-mask
    without(set)
}

/// The set without the stop signal.
pub(crate) fn without(mut set: libc::sigset_t) -> libc::sigset_t {
    // The number is known only then.
    install::ensure();
    // SAFETY: a local set, filled in by the caller.
    // mutant: signal-open-in-wait
    unsafe { libc::sigdelset(&raw mut set, installed::signal()) };
    set
}
