//! The window: the few instructions from the load of the stop flag up to and
//! including the system call, and the table of all of them.
//!
//! One file an architecture (`arch`), the same names in each, with a text that
//! follows this pseudocode line for line; and `entry` and `find`, once for all:
//!
//! ```text
//! enter:   line.marker  <- 1                ; read by request_stop
//! retry:   *line.rseq_cs <- &descriptor     ; read by the kernel
//! start:   if line.flag == 1 goto stopped   ; exactly 1: look first
//!          system call                      ; last instruction of the window
//! end:     *line.rseq_cs <- 0
//!          line.marker   <- 0
//!          goto out
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

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize};

mod arch;
mod entry;
mod find;
pub(crate) mod rseq;

/// Whether this architecture has windows at all; without them there is only
/// [`Backend::Ppoll`](crate::Backend::Ppoll).
pub(crate) use arch::AVAILABLE;
pub(crate) use arch::Context;
#[cfg(feature = "__testing")]
pub(crate) use entry::syscall_widened;
pub(crate) use entry::{abort_probe, program_counter, set_program_counter, syscall};
#[cfg(feature = "__testing")]
pub(crate) use find::addresses;
pub(crate) use find::{Place, find};

/// What a window leaves in the result register when the flag was set. Outside
/// the range of every errno (-4095 ..= -1), and no system call returns it.
pub(crate) const STOPPED: isize = isize::MIN;

/// The words a window touches, at the offsets the assembly uses.
#[repr(C)]
pub(crate) struct Line {
    /// A hint that something may be stopped, see [`scopes`](crate::runtime::scopes); the
    /// window does not begin if it is exactly 1. Offset 0.
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

/// The text of a [`Descriptor`] in this section. It describes the code from `22:` (start)
/// to `23:` (end), which is aborted at `24:`. Its own label is `20:`.
#[allow(unused_macros, reason = "a machine without a window has none")]
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
#[allow(unused_imports, reason = "a machine without a window has none")]
pub(crate) use descriptor;
