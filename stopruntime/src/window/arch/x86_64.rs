//! The window for x86-64: pc `rip`, number and result `rax`, arguments `rdi
//! rsi rdx r10 r8 r9`, `rcx` and `r11` destroyed by the instruction
//! (syscall(2)); abort signature 0x53053053 behind the bytes `0f b9 3d`, which
//! make it one undecodable `ud1` (the kernel's selftests/rseq/rseq-x86.h, and
//! glibc's bits/rseq.h).
//!
//! # What the kernel destroys
//!
//! - `rax`, `rcx` and `r11` (System V ABI, AMD64 Supplement, A.2.1), and nothing
//!   else. Vectors of every kind, AVX-512's and AMX's tiles among them, MXCSR and the
//!   x87 state are the thread's: the kernel saves them before it uses the unit
//!   itself (`kernel_fpu_begin`).
//! - No flag: `rflags` returns from `r11`, the direction flag as it was, clear. The
//!   flags that the window itself changes are declared, because `preserves_flags` is
//!   absent.
//! - Neither `fs` nor `gs`, the thread pointers.
//!
//! An abort changes the instruction pointer alone. If the handler does it, the
//! signal frame restores everything else (Documentation/arch/x86/xstate.rst).
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
pub(crate) const SIGNATURE: u32 = 0x5305_3053;

/// Gives `$then` the registers of a call's arguments.
macro_rules! registers {
    ($then:ident) => {
        $then! { "rdi" "rsi" "rdx" "r10" "r8" "r9" }
    };
}
pub(crate) use registers;

/// Loads the address of a symbol of this image.
macro_rules! address {
    ($register:literal, $symbol:literal) => {
        concat!("lea ", $register, ", [rip + ", $symbol, "]")
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
/// instructions, which changes `rcx` only, free at each of its places, and no flag.
macro_rules! window {
    (wide $spins:expr; $($call:tt)*) => {
        window!("mov rcx, {spins}\n26: jrcxz 27f\nlea rcx, [rcx - 1]\njmp 26b\n27:",
            {spins = in(reg) $spins,}; $($call)*)
    };
    ($($delay:literal, {$($more:tt)*})?; $line:expr, $number:expr, [$($register:tt = $value:expr),*]) => {{
        let result: isize;
        core::arch::asm!(
            $crate::window::descriptor!("stop_windows"),
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".byte 0x0f, 0xb9, 0x3d",
            ".long {signature}",
            // mutant: abort-keeps-number-may-restart
            "24:", // abort
            // mutant: aborted-window-one-again-rseq
            "jmp 21f",
            "25:", // stopped
            "mov rax, {stopped}",
            "jmp 23f",
            ".popsection",
            // mutant: marker-set
            "mov dword ptr [{line} + 4], 1",
            $($delay,)?
            "21:", // retry
            "mov r15, qword ptr [{line} + 8]",
            $crate::window::arch::address!("rcx", "20b"),
            // mutant: descriptor-stored
            "mov qword ptr [r15], rcx",
            $($delay,)?
            // mutant: window-begins-before-flag-test
            "22:", // start
            // mutant: shield-holds-request-flag-exactly
            "cmp dword ptr [{line}], 1",
            $($delay,)?
            // mutant: window-tests-flag
            "je 25b",
            $($delay,)?
            // mutant: abort-goes-back-before-flag
            "syscall",
            "23:", // end
            $($delay,)?
            // mutant: rseq-cs-points-nowhere-after
            "mov qword ptr [r15], 0",
            $($delay,)?
            // mutant: marker-cleared-after-call
            "mov dword ptr [{line} + 4], 0",
            // mutant: abort-keeps-number-may-restart-syscall
            line = in(reg) $line,
            stopped = const $crate::window::STOPPED,
            signature = const $crate::window::arch::SIGNATURE,
            inout("rax") $number as isize => result,
            $(in($register) $value,)*
            out("rcx") _,
            out("r11") _,
            // Where the descriptor goes, also after the call: no argument's
            // register, and none that the instruction destroys.
            out("r15") _,
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
            ".byte 0x0f, 0xb9, 0x3d",
            ".long {signature}",
            "24:", // abort
            "mov {aborted:e}, 1",
            "jmp 23f",
            ".popsection",
            $crate::window::arch::address!("{scratch}", "20b"),
            "mov qword ptr [{rseq_cs}], {scratch}",
            "22:", // start
            "dec {turns}",
            "jnz 22b",
            "23:", // end
            "mov qword ptr [{rseq_cs}], 0",
            signature = const $crate::window::arch::SIGNATURE,
            rseq_cs = in(reg) $rseq_cs,
            turns = inout(reg) $turns => _,
            aborted = inout(reg) aborted,
            scratch = out(reg) _,
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
    unsafe { (&raw mut (*context).uc_mcontext.gregs[libc::REG_RIP as usize]).cast() }
}

/// What `__rseq_offset` counts from.
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: the x86-64 TLS ABI keeps the thread pointer itself in its first
    // word (ELF Handling For Thread-Local Storage, variant II).
    unsafe {
        core::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) pointer,
            options(nostack, preserves_flags, readonly, pure));
    }
    pointer
}
