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

use core::ffi::c_void;

/// Whether there are windows.
pub(crate) const AVAILABLE: bool = true;

/// What a handler's third argument points to.
pub(crate) use libc::ucontext_t as Context;

/// rseq(2), whose number the libc crate does not have everywhere.
pub(crate) use libc::SYS_rseq;

/// The instruction before every abort address.
pub(crate) const TRAP: u32 = 0xd428_bc00;

/// The same as `rseq(2)` is told: instructions are little-endian always, data
/// are not.
pub(crate) const SIGNATURE: u32 = TRAP.to_le();

/// Gives `$then` the registers of a call's arguments.
macro_rules! registers {
    ($then:ident) => {
        $then! { "x0" "x1" "x2" "x3" "x4" "x5" }
    };
}
pub(crate) use registers;

/// Loads the address of a symbol of this image.
macro_rules! address {
    ($register:literal, $symbol:literal) => {
        concat!(
            "adrp ", $register, ", ", $symbol, "\n", "add ", $register, ", ", $register,
            ", :lo12:", $symbol
        )
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
/// instructions, which changes a register of its own and no flag.
macro_rules! window {
    (wide $spins:expr; $($call:tt)*) => {
        window!("mov {turn}, {spins}\n26: cbz {turn}, 27f\nsub {turn}, {turn}, #1\nb 26b\n27:",
            {spins = in(reg) $spins, turn = out(reg) _,}; $($call)*)
    };
    (; $line:expr, $number:expr, []) => { window!(; $line, $number, ["x0" = 0_usize]) };
    ($($delay:literal, {$($more:tt)*})?; $line:expr, $number:expr,
        ["x0" = $first:expr $(, $register:tt = $value:expr)*]) => {{
        let result: isize;
        core::arch::asm!(
            $crate::window::descriptor!("stop_windows"),
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
            $crate::window::arch::address!("x17", "20b"),
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
            stopped = const ($crate::window::STOPPED as u64) >> 48,
            trap = const $crate::window::arch::TRAP,
            inout("x8") $number => _,
            inout("x0") $first as isize => result,
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
pub(crate) use window;

/// Spins in a critical section until it is aborted.
macro_rules! probe {
    ($rseq_cs:expr, $turns:expr) => {{
        let mut aborted: u32 = 0;
        core::arch::asm!(
            $crate::window::descriptor!(".data.rel.ro.stop_probe"),
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".inst {trap}",
            "24:", // abort
            "mov {aborted:w}, #1",
            "b 23f",
            ".popsection",
            $crate::window::arch::address!("x16", "20b"),
            "str x16, [{rseq_cs}]",
            "22:", // start
            "subs {turns}, {turns}, #1",
            "b.ne 22b",
            "23:", // end
            "str xzr, [{rseq_cs}]",
            trap = const $crate::window::arch::TRAP,
            rseq_cs = in(reg) $rseq_cs,
            turns = inout(reg) $turns => _,
            aborted = inout(reg) aborted,
            out("x16") _,
            out("x17") _,
            options(nostack),
        );
        aborted
    }};
}
pub(crate) use probe;

/// Where an interrupted context keeps the program counter.
///
/// # Safety
///
/// `context` is the third argument of a `SA_SIGINFO` handler.
pub(crate) unsafe fn program_counter(context: *mut Context) -> *mut usize {
    // SAFETY: the kernel's own context; only the address is formed.
    unsafe { (&raw mut (*context).uc_mcontext.pc).cast() }
}

/// What `__rseq_offset` counts from: `tpidr_el0` (TLS ABI of aarch64).
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: reads a register that user space may read.
    unsafe {
        core::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer,
            options(nostack, preserves_flags, nomem, pure));
    }
    pointer
}
