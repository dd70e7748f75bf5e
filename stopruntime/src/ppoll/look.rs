//! What a descriptor is like now.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use crate::kernel::plain::{INTERRUPTED, plain};
use crate::kernel::select::One;
use core::ffi::c_int;

/// Whether the descriptor is ready now; an error counts as ready, so that the
/// call itself reports it.
pub(crate) fn is_ready(descriptor: c_int, events: i16) -> bool {
    has_now(descriptor, events) != 0
}

/// Returns the events that the descriptor has now, among these and the ones that poll(2)
/// reports unasked.
pub(crate) fn has_now(descriptor: c_int, events: i16) -> i16 {
    let mut entry = libc::pollfd { fd: descriptor, events, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    while unsafe { libc::poll(&raw mut entry, 1, 0) } < 0 {
        // A poll that does not wait is interrupted as well, by any signal that
        // has just come, and has looked at nothing then.
        match std::io::Error::last_os_error().raw_os_error() {
            // mutant: interrupted-look-repeated
            Some(libc::EINTR) => {}
            // As many descriptors as one may not be open.
            Some(libc::EINVAL) => return selects_now(entry),
            _ => return libc::POLLERR,
        }
    }
    entry.revents
}

#[cold]
fn selects_now(mut entry: libc::pollfd) -> i16 {
    let mut one = One::new(entry);
    loop {
        let mut at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let args = one.args(&raw mut at_once as usize, 0);
        // SAFETY: the sets and the time outlive the call.
        match unsafe { plain(libc::SYS_pselect6, args) } {
            INTERRUPTED => {}
            raw if one.seen(raw, &mut entry) < 0 => return libc::POLLERR,
            _ => return entry.revents,
        }
    }
}

pub(crate) fn is_nonblocking(descriptor: c_int) -> bool {
    // SAFETY: a query on a number.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    flags >= 0 && flags & libc::O_NONBLOCK != 0
}
