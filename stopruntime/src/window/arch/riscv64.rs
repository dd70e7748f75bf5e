//! The window for riscv64: pc `pc`, number `a7`, arguments `a0` to `a5`, result
//! `a0` (syscall(2)); abort signature 0xf1401073, `csrrw x0, mhartid, x0`,
//! which traps in every mode (selftests/rseq/rseq-riscv.h, and glibc's
//! bits/rseq.h).
//!
//! `a0` is the first argument and the result. Until the instruction has been
//! made it holds the argument: the kernel puts that back before it restarts an
//! interrupted call, and so before `abort` can be reached (arch/riscv
//! kernel/signal.c). The branches to another section go through `t1`, because
//! `j` and the conditional ones reach 1 MiB and 4 KiB only; nothing between
//! `start` and `end` is left for the linker to shorten, as the length of the
//! window is a constant by then.
//!
//! # What the kernel destroys
//!
//! - `a0`; and `a7`, if it goes on with an interrupted call by the number of
//!   restart_syscall(2) (arch/riscv `kernel/signal.c`). It gives back `a1` to `a6`
//!   and the temporaries, as the calls of glibc and musl expect.
//! - All of the vectors: `v0` to `v31`, `vl`, `vtype` and `vcsr`
//!   (Documentation/arch/riscv/vector.rst, section 3). The registers are declared,
//!   for which no target feature is needed; the other three are, because
//!   `preserves_flags` is absent (The Rust Reference, Inline assembly).
//! - Neither `f0` to `f31` nor `fcsr` nor `tp`.
//!
//! An abort changes the program counter alone. If the handler does it, the signal
//! frame restores everything else.
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

/// What stands before every abort address, as `rseq(2)` is told.
pub(crate) const SIGNATURE: u32 = 0xf140_1073;

/// The text of the window; `$delay` is put between any two instructions (the
/// empty string, but for the copy that tests widen).
macro_rules! window {
    ($($delay:literal)?; $line:expr, $number:expr, $first:expr, [$($register:tt = $value:expr),*] $(, {$($more:tt)*})?) => {{
        let result: isize;
        asm!(
            ".option push",
            ".option norelax",
            ".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".4byte 0, 0",
            ".8byte 22f, 23f - 22f, 24f",
            ".popsection",
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".4byte {signature}",
            "24:", // abort
            "jump 21f, t1",
            "25:", // stopped
            "li a0, {stopped}",
            "jump 23f, t1",
            ".popsection",
            "li t0, 1",
            $($delay,)?
            "sw t0, 4({line})",
            $($delay,)?
            "21:", // retry
            "ld t0, 8({line})",
            $($delay,)?
            "lla t1, 20b",
            $($delay,)?
            "sd t1, 0(t0)",
            "li t1, 1",
            $($delay,)?
            "22:", // start
            "lw t0, 0({line})",
            $($delay,)?
            "bne t0, t1, 28f",
            "jump 25b, t1",
            "28:",
            $($delay,)?
            "ecall",
            "23:", // end
            $($delay,)?
            "ld t0, 8({line})",
            $($delay,)?
            "sd zero, 0(t0)",
            $($delay,)?
            "sw zero, 4({line})",
            ".option pop",
            line = in(reg) $line,
            stopped = const STOPPED,
            signature = const SIGNATURE,
            inout("a7") $number => _,
            inout("a0") $first => result,
            $(in($register) $value,)*
            out("t0") _,
            out("t1") _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
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
            2 => window!(; line, number, first, ["a1" = arg(1)]),
            3 => window!(; line, number, first, ["a1" = arg(1), "a2" = arg(2)]),
            4 => window!(; line, number, first, ["a1" = arg(1), "a2" = arg(2), "a3" = arg(3)]),
            5 => window!(; line, number, first,
                ["a1" = arg(1), "a2" = arg(2), "a3" = arg(3), "a4" = arg(4)]),
            _ => window!(; line, number, first,
                ["a1" = arg(1), "a2" = arg(2), "a3" = arg(3), "a4" = arg(4), "a5" = arg(5)]),
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
    // SAFETY: as in `syscall`; the loop changes a register of its own.
    unsafe {
        window!(
            "mv {turn}, {spins}\n26: beqz {turn}, 27f\naddi {turn}, {turn}, -1\nj 26b\n27:";
            line, number, args[0].cast_signed(),
            ["a1" = args[1], "a2" = args[2]],
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
    // with the word cleared on both ways; declared registers only.
    unsafe {
        asm!(
            ".option push",
            ".option norelax",
            ".pushsection .data.rel.ro.stop_probe, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".4byte 0, 0",
            ".8byte 22f, 23f - 22f, 24f",
            ".popsection",
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".4byte {signature}",
            "24:",
            "li {aborted}, 1",
            "jump 23f, t1",
            ".popsection",
            "lla t0, 20b",
            "sd t0, 0({rseq_cs})",
            "22:",
            "addi {turns}, {turns}, -1",
            "bnez {turns}, 22b",
            "23:",
            "sd zero, 0({rseq_cs})",
            ".option pop",
            signature = const SIGNATURE,
            rseq_cs = in(reg) rseq_cs,
            turns = inout(reg) turns.max(1) => _,
            aborted = inout(reg) aborted,
            out("t0") _,
            out("t1") _,
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
            ".8byte 0, 0, 0, 0",
            ".popsection",
            "lla {kept}, 20b",
            "lla {first}, __start_stop_windows",
            "lla {end}, __stop_stop_windows",
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

/// Where the program counter stands in the context: musl's half of the libc
/// crate has no name for it (`asm/ptrace.h`, `struct user_regs_struct`).
const REG_PC: usize = 0;

/// The pc at which the signal interrupted the thread.
///
/// # Safety
///
/// `context` is the third argument of a `SA_SIGINFO` handler.
pub(crate) unsafe fn program_counter(context: *const Context) -> usize {
    // SAFETY: the caller passes the kernel's own, initialised context.
    unsafe { (*context).uc_mcontext.__gregs[REG_PC] as usize }
}

/// Where the thread continues when the handler returns.
///
/// # Safety
///
/// As [`program_counter`]; `pc` is the abort address of the interrupted window.
pub(crate) unsafe fn set_program_counter(context: *mut Context, pc: usize) {
    // SAFETY: as above, and exclusive: the context lives in this signal frame.
    unsafe { (*context).uc_mcontext.__gregs[REG_PC] = pc as u64 }
}

/// What `__rseq_offset` counts from: `tp` (RISC-V ELF psABI).
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: reads a register that user space may read.
    unsafe {
        asm!("mv {}, tp", out(reg) pointer,
            options(nostack, preserves_flags, nomem, pure));
    }
    pointer
}
