//! The window for aarch64: pc `pc`, number `x8`, arguments `x0` to `x5`, result
//! `x0` (syscall(2)); abort signature `brk #0x45e0`, an instruction that nothing
//! else uses, read by the kernel as data (selftests/rseq/rseq-arm64.h, and
//! glibc's bits/rseq.h).
//!
//! `x0` is the first argument and the result. Until the instruction has been
//! made it holds the argument: the kernel puts that back before it restarts an
//! interrupted call, and so before `abort` can be reached (arch/arm64
//! kernel/signal.c). The window works in `x16` and `x17`, which the linker's
//! veneers may destroy as well (AAPCS64, 6.1.1): the two branches to another
//! section may become such. A conditional branch cannot, so it skips one that
//! can.
//!
//! # What the kernel destroys
//!
//! - `x0`; and `x8`, if it goes on with an interrupted call by the number of
//!   restart_syscall(2) (arch/arm64 `kernel/signal.c`). It gives back `x1` to
//!   `x7`, as the calls of glibc and musl expect.
//! - Of the scalable vectors everything above `v0` to `v31`, all predicates, and
//!   `ffr` (Documentation/arch/arm64/sve.rst, section 3). `v0` to `v31` and `p0` to
//!   `p15` are declared; the compiler keeps no value in `ffr`. A smaller part of a
//!   vector cannot be declared, so a function that contains a window saves the
//!   lower halves of `v8` to `v15` for its caller (AAPCS64, 6.1.2): once, in front
//!   of its loops.
//! - Streaming mode is left. No function runs in it that was not compiled for it,
//!   and none with a window is. ZA, ZT0 and TPIDR2 are kept (sme.rst, section 4).
//! - Neither FPCR nor FPSR nor `tpidr_el0`, and no flag; the flags that the window
//!   itself changes are declared, because `preserves_flags` is absent.
//!
//! An abort changes the program counter alone. If the handler does it, the signal
//! frame restores everything else that was live (sve.rst, sections 4 and 5).
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use crate::window::{Descriptor, Line, STOPPED};
use core::arch::asm;
use core::ffi::c_void;
use core::sync::atomic::AtomicUsize;

/// Whether there are windows.
pub(crate) const AVAILABLE: bool = true;

/// What a handler's third argument points to.
pub(crate) use libc::ucontext_t as Context;

/// rseq(2), whose number the libc crate does not have everywhere.
pub(crate) use libc::SYS_rseq;

/// The instruction before every abort address.
const TRAP: u32 = 0xd428_bc00;

/// The same as `rseq(2)` is told: instructions are little-endian always, data
/// are not.
pub(crate) const SIGNATURE: u32 = TRAP.to_le();

/// The text of the window; `$delay` is put between any two instructions (the
/// empty string, but for the copy that tests widen).
macro_rules! window {
    ($($delay:literal)?; $line:expr, $number:expr, $first:expr, [$($register:tt = $value:expr),*] $(, {$($more:tt)*})?) => {{
        let result: isize;
        asm!(
            ".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".long 0, 0",
            ".quad 22f, 23f - 22f, 24f",
            ".popsection",
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".inst {trap}",
            "24:", // abort
            "b 21f",
            "25:", // stopped
            "movz x0, {stopped}, lsl #48",
            "b 23f",
            ".popsection",
            "mov w16, #1",
            $($delay,)?
            "str w16, [{line}, #4]",
            $($delay,)?
            "21:", // retry
            "ldr x16, [{line}, #8]",
            $($delay,)?
            "adrp x17, 20b",
            "add x17, x17, :lo12:20b",
            $($delay,)?
            "str x17, [x16]",
            $($delay,)?
            "22:", // start
            "ldr w16, [{line}]",
            $($delay,)?
            "cmp w16, #1",
            $($delay,)?
            "b.ne 28f",
            "b 25b",
            "28:",
            $($delay,)?
            "svc #0",
            "23:", // end
            $($delay,)?
            "ldr x16, [{line}, #8]",
            $($delay,)?
            "str xzr, [x16]",
            $($delay,)?
            "str wzr, [{line}, #4]",
            line = in(reg) $line,
            stopped = const (STOPPED as u64) >> 48,
            trap = const TRAP,
            inout("x8") $number => _,
            inout("x0") $first => result,
            $(in($register) $value,)*
            out("x16") _,
            out("x17") _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            out("p0") _, out("p1") _, out("p2") _, out("p3") _,
            out("p4") _, out("p5") _, out("p6") _, out("p7") _,
            out("p8") _, out("p9") _, out("p10") _, out("p11") _,
            out("p12") _, out("p13") _, out("p14") _, out("p15") _,
            $($($more)*)?
            options(nostack),
        );
        result
    }};
}

/// Makes the system call unless the flag of `line` is 1; the raw result
/// (negated errno for an error), or [`STOPPED`].
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
    // Absent arguments are not loaded, but for the first, whose register is
    // that of the result.
    let arg = |index: usize| args[index];
    let first = args.first().map_or(0, |first| first.cast_signed());
    // SAFETY: the caller upholds the module's invariant and answers for the
    // call itself. All registers the instruction destroys are declared, memory
    // counts as clobbered, and control leaves only through the last line.
    unsafe {
        match N {
            0 | 1 => window!(; line, number, first, []),
            2 => window!(; line, number, first, ["x1" = arg(1)]),
            3 => window!(; line, number, first, ["x1" = arg(1), "x2" = arg(2)]),
            4 => window!(; line, number, first, ["x1" = arg(1), "x2" = arg(2), "x3" = arg(3)]),
            5 => window!(; line, number, first,
                ["x1" = arg(1), "x2" = arg(2), "x3" = arg(3), "x4" = arg(4)]),
            _ => window!(; line, number, first,
                ["x1" = arg(1), "x2" = arg(2), "x3" = arg(3), "x4" = arg(4), "x5" = arg(5)]),
        }
    }
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
    // SAFETY: as in `syscall`; the loop changes a register of its own, and no
    // flag.
    unsafe {
        window!(
            "mov {turn}, {spins}\n26: cbz {turn}, 27f\nsub {turn}, {turn}, #1\nb 26b\n27:";
            line, number, args[0].cast_signed(),
            ["x1" = args[1], "x2" = args[2]],
            {spins = in(reg) spins, turn = out(reg) _,}
        )
    }
}

/// Spins inside a critical section of its own until the kernel aborts it
/// (true) or the turns are used up (false). The descriptor stays out of the
/// table, so that our handler cannot stand in for the kernel.
///
/// # Safety
///
/// `rseq_cs` is the calling thread's registered field.
pub(crate) unsafe fn abort_probe(rseq_cs: *const AtomicUsize, turns: usize) -> bool {
    let mut aborted: u32 = 0;
    // SAFETY: `rseq_cs` is writable and this thread's own; the section is left
    // with the word cleared on both ways; declared registers only, and those of
    // the linker's veneers.
    unsafe {
        asm!(
            ".pushsection .data.rel.ro.stop_probe, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".long 0, 0",
            ".quad 22f, 23f - 22f, 24f",
            ".popsection",
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".inst {trap}",
            "24:",
            "mov {aborted:w}, #1",
            "b 23f",
            ".popsection",
            "adrp x16, 20b",
            "add x16, x16, :lo12:20b",
            "str x16, [{rseq_cs}]",
            "22:",
            "subs {turns}, {turns}, #1",
            "b.ne 22b",
            "23:",
            "str xzr, [{rseq_cs}]",
            trap = const TRAP,
            rseq_cs = in(reg) rseq_cs,
            turns = inout(reg) turns.max(1) => _,
            aborted = inout(reg) aborted,
            out("x16") _,
            out("x17") _,
            options(nostack),
        );
    }
    aborted != 0
}

/// The descriptors of all windows linked into this image, and one that is empty.
pub(crate) fn table() -> &'static [Descriptor] {
    let (first, end): (*const Descriptor, *const Descriptor);
    // SAFETY: address computations; see the same function for x86-64.
    unsafe {
        asm!(
            ".hidden __start_stop_windows",
            ".hidden __stop_stop_windows",
            ".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".quad 0, 0, 0, 0",
            ".popsection",
            "adrp {kept}, 20b",
            "adrp {first}, __start_stop_windows",
            "add {first}, {first}, :lo12:__start_stop_windows",
            "adrp {end}, __stop_stop_windows",
            "add {end}, {end}, :lo12:__stop_stop_windows",
            kept = out(reg) _,
            first = out(reg) first,
            end = out(reg) end,
            options(nomem, nostack, preserves_flags, pure),
        );
    }
    // SAFETY: the section holds nothing but whole descriptors, each aligned to
    // 32 bytes, never written after relocation.
    unsafe { core::slice::from_raw_parts(first, end.offset_from_unsigned(first)) }
}

/// The pc at which the signal interrupted the thread.
///
/// # Safety
///
/// `context` is the third argument of a `SA_SIGINFO` handler.
pub(crate) unsafe fn program_counter(context: *const Context) -> usize {
    // SAFETY: the caller passes the kernel's own, initialised context.
    unsafe { (*context).uc_mcontext.pc as usize }
}

/// Where the thread continues when the handler returns.
///
/// # Safety
///
/// As [`program_counter`]; `pc` is the abort address of the interrupted window.
pub(crate) unsafe fn set_program_counter(context: *mut Context, pc: usize) {
    // SAFETY: as above, and exclusive: the context lives in this signal frame.
    unsafe { (*context).uc_mcontext.pc = pc as u64 }
}

/// What `__rseq_offset` counts from: `tpidr_el0` (TLS ABI of aarch64).
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: reads a register that user space may read.
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) pointer,
            options(nostack, preserves_flags, nomem, pure));
    }
    pointer
}
