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

use core::ffi::c_void;

/// Whether there are windows.
pub(crate) const AVAILABLE: bool = true;

/// What a handler's third argument points to.
pub(crate) use libc::ucontext_t as Context;

/// rseq(2), whose number the libc crate does not have everywhere.
pub(crate) use libc::SYS_rseq;

/// What stands before every abort address, as `rseq(2)` is told.
pub(crate) const SIGNATURE: u32 = 0xf140_1073;

/// Gives `$then` the registers of a call's arguments.
macro_rules! registers {
    ($then:ident) => {
        $then! { "a0" "a1" "a2" "a3" "a4" "a5" }
    };
}
pub(crate) use registers;

/// Loads the address of a symbol of this image.
macro_rules! address {
    ($register:literal, $symbol:literal) => {
        concat!("lla ", $register, ", ", $symbol)
    };
}
pub(crate) use address;

/// Where the table begins and ends: there is one.
macro_rules! ends {
    ($of_the_section:ident) => {
        $of_the_section!()
    };
}
pub(crate) use ends;

/// The window. `wide`: with so many turns of an empty loop between any two
/// instructions, which changes a register of its own.
macro_rules! window {
    (wide $spins:expr; $($call:tt)*) => {
        window!("mv {turn}, {spins}\n26: beqz {turn}, 27f\naddi {turn}, {turn}, -1\nj 26b\n27:",
            {spins = in(reg) $spins, turn = out(reg) _,}; $($call)*)
    };
    (; $line:expr, $number:expr, []) => { window!(; $line, $number, ["a0" = 0_usize]) };
    ($($delay:literal, {$($more:tt)*})?; $line:expr, $number:expr,
        ["a0" = $first:expr $(, $register:tt = $value:expr)*]) => {{
        let result: isize;
        core::arch::asm!(
            ".option push",
            ".option norelax",
            $crate::window::descriptor!("stop_windows"),
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
            $crate::window::arch::address!("t1", "20b"),
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
            stopped = const $crate::window::STOPPED,
            signature = const $crate::window::arch::SIGNATURE,
            inout("a7") $number => _,
            inout("a0") $first as isize => result,
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
pub(crate) use window;

/// Spins in a critical section until it is aborted.
macro_rules! probe {
    ($rseq_cs:expr, $turns:expr) => {{
        let mut aborted: u32 = 0;
        core::arch::asm!(
            ".option push",
            ".option norelax",
            $crate::window::descriptor!(".data.rel.ro.stop_probe"),
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".4byte {signature}",
            "24:", // abort
            "li {aborted}, 1",
            "jump 23f, t1",
            ".popsection",
            $crate::window::arch::address!("t0", "20b"),
            "sd t0, 0({rseq_cs})",
            "22:", // start
            "addi {turns}, {turns}, -1",
            "bnez {turns}, 22b",
            "23:", // end
            "sd zero, 0({rseq_cs})",
            ".option pop",
            signature = const $crate::window::arch::SIGNATURE,
            rseq_cs = in(reg) $rseq_cs,
            turns = inout(reg) $turns => _,
            aborted = inout(reg) aborted,
            out("t0") _,
            out("t1") _,
            options(nostack),
        );
        aborted
    }};
}
pub(crate) use probe;

/// Where the program counter stands in the context: musl's half of the libc
/// crate has no name for it (`asm/ptrace.h`, `struct user_regs_struct`).
const REG_PC: usize = 0;

/// Where an interrupted context keeps the program counter.
///
/// # Safety
///
/// `context` is the third argument of a `SA_SIGINFO` handler.
pub(crate) unsafe fn program_counter(context: *mut Context) -> *mut usize {
    // SAFETY: the kernel's own context; only the address is formed.
    unsafe { (&raw mut (*context).uc_mcontext.__gregs[REG_PC]).cast() }
}

/// What `__rseq_offset` counts from: `tp` (RISC-V ELF psABI).
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: reads a register that user space may read.
    unsafe {
        core::arch::asm!("mv {}, tp", out(reg) pointer,
            options(nostack, preserves_flags, nomem, pure));
    }
    pointer
}
