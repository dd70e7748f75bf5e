//! The ways into the text of an architecture, once for all of them.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]
#![allow(unused_unsafe, unused_macros, reason = "a machine without a window has no text")]

use super::arch::{self, Context, ends, probe, registers, window};
use super::{Descriptor, Line};
use core::sync::atomic::AtomicUsize;

/// Makes the system call unless the flag of `line` is 1; the raw result
/// (negated errno for an error), or [`STOPPED`](super::STOPPED).
///
/// # Safety
///
/// The module's invariant holds for `line`, and the call is sound with these
/// arguments.
#[inline(always)]
pub(crate) unsafe fn syscall<const N: usize>(
    line: *const Line,
    number: libc::c_long,
    args: [usize; N],
) -> isize {
    const { assert!(N <= 6, "a system call takes at most six arguments") };
    let arg = |index: usize| args[index];
    // Absent arguments are not loaded: their registers are dead to the kernel.
    macro_rules! by_count {
        ($a:tt $b:tt $c:tt $d:tt $e:tt $f:tt) => {
            match N {
                0 => window!(; line, number, []),
                1 => window!(; line, number, [$a = arg(0)]),
                2 => window!(; line, number, [$a = arg(0), $b = arg(1)]),
                3 => window!(; line, number, [$a = arg(0), $b = arg(1), $c = arg(2)]),
                4 => window!(; line, number,
                    [$a = arg(0), $b = arg(1), $c = arg(2), $d = arg(3)]),
                5 => window!(; line, number,
                    [$a = arg(0), $b = arg(1), $c = arg(2), $d = arg(3), $e = arg(4)]),
                _ => window!(; line, number,
                    [$a = arg(0), $b = arg(1), $c = arg(2), $d = arg(3), $e = arg(4),
                     $f = arg(5)]),
            }
        };
    }
    // SAFETY: the caller upholds the module's invariant and answers for the
    // call itself. All registers the instruction destroys are declared, memory
    // counts as clobbered, and control leaves only through the last line.
    unsafe { registers!(by_count) }
}

/// [`syscall`] with three arguments and `spins` turns of an empty loop between
/// any two of its instructions: the same text, wide enough to be hit from
/// outside.
///
/// # Safety
///
/// As [`syscall`].
#[cfg(feature = "__testing")]
#[inline(never)]
pub(crate) unsafe fn syscall_widened(
    line: *const Line,
    number: libc::c_long,
    args: [usize; 3],
    spins: usize,
) -> isize {
    macro_rules! three {
        ($a:tt $b:tt $c:tt $($rest:tt)*) => {
            window!(wide spins; line, number, [$a = args[0], $b = args[1], $c = args[2]])
        };
    }
    // SAFETY: as in `syscall`; the loop changes no register that is in use.
    unsafe { registers!(three) }
}

/// Spins inside a critical section of its own until the kernel aborts it
/// (true) or the turns are used up (false). The descriptor stays out of the
/// table, so that our handler cannot stand in for the kernel.
///
/// # Safety
///
/// `rseq_cs` is the calling thread's registered field.
pub(crate) unsafe fn abort_probe(rseq_cs: *const AtomicUsize, turns: usize) -> bool {
    // SAFETY: `rseq_cs` is writable and this thread's own; the section is left
    // with the word cleared on both ways; declared registers only.
    let aborted: u32 = unsafe { probe!(rseq_cs, turns.max(1)) };
    aborted != 0
}

/// The begin and the end of the section `stop_windows`.
///
/// The linker defines both symbols for every section whose name is a C identifier;
/// hidden, so that each image sees its own table. The empty descriptor, which `kept`
/// refers to, keeps the section in a program without a single marked call, where the
/// linker would drop it and leave the symbols undefined.
macro_rules! ends_of_the_section {
    () => {{
        let (first, end);
        core::arch::asm!(
            ".hidden __start_stop_windows",
            ".hidden __stop_stop_windows",
            // mutant: program-without-window-links
            ".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".8byte 0, 0, 0, 0",
            ".popsection",
            $crate::window::arch::address!("{kept}", "20b"),
            $crate::window::arch::address!("{first}", "__start_stop_windows"),
            $crate::window::arch::address!("{end}", "__stop_stop_windows"),
            kept = out(reg) _,
            first = out(reg) first,
            end = out(reg) end,
            options(nomem, nostack, preserves_flags, pure),
        );
        (first, end)
    }};
}

/// The descriptors of all windows linked into this image, and one that is empty.
pub(crate) fn table() -> &'static [Descriptor] {
    // SAFETY: address computations.
    let (first, end): (*const Descriptor, *const Descriptor) =
        unsafe { ends!(ends_of_the_section) };
    // SAFETY: the section holds only whole descriptors, each aligned to
    // 32 bytes, never written after relocation.
    unsafe { core::slice::from_raw_parts(first, end.offset_from_unsigned(first)) }
}

/// The pc at which the signal interrupted the thread.
///
/// # Safety
///
/// `context` is the third argument of a `SA_SIGINFO` handler.
pub(crate) unsafe fn program_counter(context: *mut Context) -> usize {
    // SAFETY: the caller passes the kernel's own, initialised context.
    unsafe { *arch::program_counter(context) }
}

/// Makes the thread continue there when the handler returns.
///
/// # Safety
///
/// As [`program_counter`]; `pc` is the abort address of the interrupted window.
pub(crate) unsafe fn set_program_counter(context: *mut Context, pc: usize) {
    // SAFETY: as above, and exclusive: the context lives in this signal frame.
    unsafe { *arch::program_counter(context) = pc }
}
