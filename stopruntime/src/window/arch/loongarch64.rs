//! The window for LoongArch: pc `era`, number `$a7`, arguments `$a0` to `$a5`, result
//! `$a0` (syscall(2)); abort signature 0x002a0010, `break 0x10`, read by the kernel
//! as data (librseq's rseq/arch/loongarch.h; glibc registers no thread there).
//!
//! `$a0` is the first argument and the result. Until the instruction has been
//! made it holds the argument: the kernel puts that back before it restarts an
//! interrupted call, and so before `abort` can be reached (arch/loongarch
//! kernel/signal.c). A branch without a condition reaches 128 MiB, as far as the
//! call of any function does; a conditional one reaches 128 KiB, and skips one of the
//! others.
//!
//! # What the kernel destroys
//!
//! - `$a0`, and all of the temporaries, `$t0` to `$t8`: a system call is a function
//!   call in this respect (Documentation/arch/loongarch/introduction.rst, and
//!   `handle_syscall` in arch/loongarch kernel/entry.S, which saves no more). It gives
//!   back `$a1` to `$a7`; `$a7` is declared because it holds the number of
//!   restart_syscall(2) afterwards if the kernel goes on with an interrupted call by it.
//! - Neither the floating-point registers nor the vectors that contain them, nor the
//!   flags of conditions or `fcsr0`: the kernel saves them before it uses the unit
//!   itself (`kernel_fpu_begin`).
//! - Neither `$tp` nor `$r21`.
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
pub(crate) const SIGNATURE: u32 = 0x002a_0010;

/// Gives `$then` the registers of a call's arguments.
macro_rules! registers {
    ($then:ident) => {
        $then! { "$a0" "$a1" "$a2" "$a3" "$a4" "$a5" }
    };
}
pub(crate) use registers;

/// Loads the address of a symbol of this image.
macro_rules! address {
    ($register:literal, $symbol:literal) => {
        concat!("la.local ", $register, ", ", $symbol)
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
        window!("move {turn}, {spins}\n26: beqz {turn}, 27f\naddi.d {turn}, {turn}, -1\nb 26b\n27:",
            {spins = in(reg) $spins, turn = out(reg) _,}; $($call)*)
    };
    (; $line:expr, $number:expr, []) => { window!(; $line, $number, ["$a0" = 0_usize]) };
    ($($delay:literal, {$($more:tt)*})?; $line:expr, $number:expr,
        ["$a0" = $first:expr $(, $register:tt = $value:expr)*]) => {{
        let result: isize;
        core::arch::asm!(
            $crate::window::descriptor!("stop_windows"),
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".balign 4",
            ".4byte {signature}",
            "24:", // abort
            "b 21f",
            "25:", // stopped
            "li.d $a0, {stopped}",
            "b 23f",
            ".popsection",
            "li.w $t0, 1",
            $($delay,)?
            "st.w $t0, {line}, 4",
            $($delay,)?
            "21:", // retry
            "ld.d $t0, {line}, 8",
            $($delay,)?
            $crate::window::arch::address!("$t1", "20b"),
            $($delay,)?
            "st.d $t1, $t0, 0",
            "li.w $t1, 1",
            $($delay,)?
            "22:", // start
            "ld.w $t0, {line}, 0",
            $($delay,)?
            "bne $t0, $t1, 28f",
            "b 25b",
            "28:",
            $($delay,)?
            "syscall 0",
            "23:", // end
            $($delay,)?
            "ld.d $t0, {line}, 8",
            $($delay,)?
            "st.d $zero, $t0, 0",
            $($delay,)?
            "st.w $zero, {line}, 4",
            line = in(reg) $line,
            stopped = const $crate::window::STOPPED,
            signature = const $crate::window::arch::SIGNATURE,
            inout("$a7") $number => _,
            inout("$a0") $first as isize => result,
            $(in($register) $value,)*
            out("$t0") _, out("$t1") _, out("$t2") _, out("$t3") _, out("$t4") _,
            out("$t5") _, out("$t6") _, out("$t7") _, out("$t8") _,
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
            ".4byte {signature}",
            "24:", // abort
            "li.w {aborted}, 1",
            "b 23f",
            ".popsection",
            $crate::window::arch::address!("$t0", "20b"),
            "st.d $t0, {rseq_cs}, 0",
            "22:", // start
            "addi.d {turns}, {turns}, -1",
            "bnez {turns}, 22b",
            "23:", // end
            "st.d $zero, {rseq_cs}, 0",
            signature = const $crate::window::arch::SIGNATURE,
            rseq_cs = in(reg) $rseq_cs,
            turns = inout(reg) $turns => _,
            aborted = inout(reg) aborted,
            out("$t0") _,
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
    unsafe { (&raw mut (*context).uc_mcontext.__pc).cast() }
}

/// What `__rseq_offset` counts from: `$tp` (LoongArch ELF psABI).
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: reads a register that user space may read.
    unsafe {
        core::arch::asm!("move {}, $tp", out(reg) pointer,
            options(nostack, preserves_flags, nomem, pure));
    }
    pointer
}
