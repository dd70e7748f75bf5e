//! Where an interrupted pc stands, by the descriptors of all windows.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{Descriptor, Line, entry};
use core::sync::atomic::Ordering::Relaxed;

/// Where an interrupted pc stands relative to the windows.
pub(crate) enum Place {
    /// Inside a window: continue at this abort address instead.
    Inside(usize),
    /// On the first instruction after a window, or on its abort address: the
    /// flag is looked at again on the way from there.
    Edge,
    /// Anywhere else.
    Outside,
}

/// Where this pc of the thread whose line this is stands relative to the window
/// that the thread is in. Async-signal-safe.
///
/// First by the descriptor that the window has stored, whichever image that is
/// in; then by the table of this image, because the kernel takes the descriptor
/// away when it has looked at it.
///
/// # Safety
///
/// The line is the calling thread's own, and registered.
pub(crate) unsafe fn find(line: &Line, pc: usize) -> Place {
    let place = line.rseq_cs.load(Relaxed);
    // SAFETY: the module's invariant: a word of the thread's own, which holds 0
    // or the address of a descriptor, and those are never written.
    // mutant: window-found-in-any-image-2
    let stored = unsafe { ((*place).load(Relaxed) as *const Descriptor).as_ref() };
    // mutant: window-found-in-any-image
    for window in stored.into_iter().chain(windows()) {
        let offset = pc.wrapping_sub(window.start);
        if offset < window.length {
            return Place::Inside(window.abort);
        }
        if offset == window.length || pc == window.abort {
            return Place::Edge;
        }
    }
    Place::Outside
}

fn windows() -> impl Iterator<Item = &'static Descriptor> {
    entry::table().iter().filter(|window| window.start != 0)
}

/// The windows of this image as (start, length, abort) addresses, for tests
/// that step through them.
#[cfg(feature = "__testing")]
pub(crate) fn addresses() -> impl Iterator<Item = (usize, usize, usize)> {
    windows().map(|window| (window.start, window.length, window.abort))
}
