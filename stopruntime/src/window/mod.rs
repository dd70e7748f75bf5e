//! The window: the few instructions from the load of the stop flag up to and
//! including the system call, and the table of all of them.
//!
//! One file an architecture (`arch`), the same names in each, with a text that
//! follows this pseudocode line for line; and `entry`, once for all of them:
//!
//! ```text
//! enter:   line.marker  <- 1                ; read by request_stop
//! retry:   *line.rseq_cs <- &descriptor     ; read by the kernel
//! start:   if line.flag == 1 goto stopped   ; exactly 1: requested, not shielded
//!          system call                      ; last instruction of the window
//! end:     *line.rseq_cs <- 0
//!          line.marker   <- 0
//! abort:   goto retry                       ; number register untouched
//! stopped: result <- STOPPED; goto end
//! ```
//!
//! Every window emits one [`Descriptor`] into the section `stop_windows`. It
//! has two readers: the kernel, through `rseq_cs`, and our signal handler,
//! through `rseq_cs` or that section. With
//! [`Backend::Handler`](crate::Backend::Handler) the store goes to a word that
//! the kernel does not know, and the handler does the work alone.
//!
//! `abort` must not touch the number register: after SIGSTOP/SIGCONT it holds
//! `restart_syscall`, and entering with that honours the time that was left
//! (`restart_syscall(2)`).
//!
//! The compiler is told of every register that the kernel does not give back:
//! whatever it keeps in one across a marked call would be wrong numbers, computed
//! by safe code. Each file says what that is and where the kernel promises the
//! rest. CI runs loops that hold vectors across windows (`tests/tests/registers.rs`).
//!
//! # Safety
//!
//! The invariant of this module: a [`Line`] handed to a window is valid for
//! the whole call, its `rseq_cs` points to a writable word that is either the
//! calling thread's own registered `rseq_cs` field or a word no kernel reads,
//! and holds 0 or the address of a descriptor,
//! and no window is entered while another one of the same thread is active.

#![allow(unsafe_code)]

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};

mod arch;
mod entry;
pub(crate) mod rseq;

/// Whether this architecture has windows at all; without them there is only
/// [`Backend::Ppoll`](crate::Backend::Ppoll).
pub(crate) use arch::AVAILABLE;
pub(crate) use arch::Context;
#[cfg(feature = "__testing")]
pub(crate) use entry::syscall_widened;
pub(crate) use entry::{abort_probe, program_counter, set_program_counter, syscall};

/// What a window leaves in the result register when the flag was set. Outside
/// the range of every errno (-4095 ..= -1), and no system call returns it.
pub(crate) const STOPPED: isize = isize::MIN;

/// The words a window touches, at the offsets the assembly uses.
#[repr(C)]
pub(crate) struct Line {
    /// Bit 0 *requested*, bit 1 *shielded*. Offset 0.
    pub(crate) flag: AtomicU32,
    /// 1 while the thread is between `enter` and `end`. Offset 4.
    pub(crate) marker: AtomicU32,
    /// Where to store the address of the descriptor: 64 bits for the kernel,
    /// and an address on every architecture that has windows. Offset 8.
    pub(crate) rseq_cs: AtomicPtr<AtomicUsize>,
}

const _: () = assert!(
    core::mem::offset_of!(Line, flag) == 0
        && core::mem::offset_of!(Line, marker) == 4
        && core::mem::offset_of!(Line, rseq_cs) == 8
);

/// The kernel's `struct rseq_cs` (linux/rseq.h).
#[repr(C, align(32))]
pub(crate) struct Descriptor {
    version: u32,
    flags: u32,
    start: usize,
    length: usize,
    abort: usize,
}

/// The text of a [`Descriptor`] in this section: of what lies between `22:` (start)
/// and `23:` (end), and is aborted at `24:`. Its own label is `20:`.
macro_rules! descriptor {
    ($section:literal) => {
        concat!(
            ".pushsection ",
            $section,
            ", \"aw\", @progbits\n",
            ".balign 32\n",
            "20:\n",
            ".4byte 0, 0\n",
            // mutant: window-ends-behind-call
            ".8byte 22f, 23f - 22f, 24f\n",
            ".popsection"
        )
    };
}
pub(crate) use descriptor;

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
    // mutant: handler-finds-windows-in-whatever-image
    let stored = unsafe { ((*place).load(Relaxed) as *const Descriptor).as_ref() };
    // mutant: handler-finds-windows-in-whatever
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
