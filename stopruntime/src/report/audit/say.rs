//! What the audit says.
//!
//! # Safety
//!
//! The invariant of this module: what libc is given here is whole by then.

#![allow(unsafe_code)]

use core::fmt;

/// Says it on standard error, if there is one: past std's lock, which another thread may
/// hold when the process forks or ends.
pub(super) fn say(text: &dyn fmt::Display) {
    let text = text.to_string().replace('\n', "\nstopruntime audit: ");
    let line = format!("stopruntime audit: {text}\n");
    // SAFETY: as many bytes as there are.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
}
