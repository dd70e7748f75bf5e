//! Hooks for the tests of the windows; not for use.
//!
//! # Safety
//!
//! See `window`.

#![allow(unsafe_code)]

use crate::runtime::attach;
use crate::runtime::slot;
use crate::scope::Stopped;
use crate::window;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Lists the windows linked into this image: (start, length, abort).
#[must_use]
pub fn windows() -> Vec<(usize, usize, usize)> {
    window::addresses().collect()
}

/// Holds up installations, as a thread does that is in the middle of one.
#[must_use]
pub fn hold_installation() -> impl Drop {
    crate::runtime::install::hold()
}

/// Returns the address of the calling thread's line, for a tracer that puts the thread
/// into a window.
#[must_use]
pub fn line() -> usize {
    attach::registered();
    slot::line() as usize
}

/// Makes a stop-checked read(2) through a window with `spins` empty turns between any
/// two of its instructions; the raw result.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and nothing was read.
///
/// # Panics
///
/// On [`Backend::Ppoll`](crate::Backend::Ppoll), which has no windows.
pub fn read_widened(
    descriptor: BorrowedFd<'_>,
    buffer: &mut [u8],
    spins: usize,
) -> Result<isize, Stopped> {
    let record = attach::registered();
    assert!(record.has_window(), "the ppoll backend has no windows");
    let args = [descriptor.as_raw_fd() as usize, buffer.as_mut_ptr() as usize, buffer.len()];
    let line = slot::line();
    // SAFETY: this thread's line; the buffer is writable for its length.
    let raw = unsafe { window::syscall_widened(line, libc::SYS_read, args, spins) };
    // SAFETY: as above, and reading again after no effect is sound.
    unsafe { crate::call::settled(line, raw, libc::SYS_read, args) }.or_stop()
}
