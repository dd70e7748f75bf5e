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
pub(crate) const SIGNATURE: u32 = 0x5305_3053;

/// The text of the window; `$delay` is put between any two instructions (the
/// empty string, but for the copy that tests widen).
macro_rules! window {
    ($($delay:literal)?; $line:expr, $number:expr, [$($register:tt = $value:expr),*] $(, {$($more:tt)*})?) => {{
        let result: isize;
        asm!(
            ".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".long 0, 0",
            // mutant: window-ends-behind-call
            ".quad 22f, 23f - 22f, 24f",
            ".popsection",
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
            "lea rcx, [rip + 20b]",
            // mutant: kernel-aborts-window-rseq
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
            stopped = const STOPPED,
            signature = const SIGNATURE,
            inout("rax") $number => result,
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
    // Absent arguments are not loaded: their registers are dead to the kernel.
    let arg = |index: usize| args[index];
    let number = number as isize;
    // SAFETY: the caller upholds the module's invariant and answers for the
    // call itself. All registers the instruction destroys are declared, memory
    // counts as clobbered, and control leaves only through the last line.
    unsafe {
        match N {
            0 => window!(; line, number, []),
            1 => window!(; line, number, ["rdi" = arg(0)]),
            2 => window!(; line, number, ["rdi" = arg(0), "rsi" = arg(1)]),
            3 => window!(; line, number, ["rdi" = arg(0), "rsi" = arg(1), "rdx" = arg(2)]),
            4 => window!(; line, number,
                ["rdi" = arg(0), "rsi" = arg(1), "rdx" = arg(2), "r10" = arg(3)]),
            5 => window!(; line, number,
                ["rdi" = arg(0), "rsi" = arg(1), "rdx" = arg(2), "r10" = arg(3), "r8" = arg(4)]),
            _ => window!(; line, number,
                ["rdi" = arg(0), "rsi" = arg(1), "rdx" = arg(2), "r10" = arg(3), "r8" = arg(4),
                 "r9" = arg(5)]),
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
    // SAFETY: as in `syscall`; the loop changes rcx only, which is free at
    // each of its places, and no flag.
    unsafe {
        window!(
            "mov rcx, {spins}\n26: jrcxz 27f\nlea rcx, [rcx - 1]\njmp 26b\n27:";
            line, number as isize,
            ["rdi" = args[0], "rsi" = args[1], "rdx" = args[2]],
            {spins = in(reg) spins,}
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
            ".pushsection .data.rel.ro.stop_probe, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".long 0, 0",
            ".quad 22f, 23f - 22f, 24f",
            ".popsection",
            ".pushsection .text.stop_abort, \"ax\", @progbits",
            ".byte 0x0f, 0xb9, 0x3d",
            ".long {signature}",
            "24:",
            "mov {aborted:e}, 1",
            "jmp 23f",
            ".popsection",
            "lea {scratch}, [rip + 20b]",
            "mov qword ptr [{rseq_cs}], {scratch}",
            "22:",
            "dec {turns}",
            "jnz 22b",
            "23:",
            "mov qword ptr [{rseq_cs}], 0",
            signature = const SIGNATURE,
            rseq_cs = in(reg) rseq_cs,
            turns = inout(reg) turns.max(1) => _,
            aborted = inout(reg) aborted,
            scratch = out(reg) _,
            options(nostack),
        );
    }
    aborted != 0
}

/// The descriptors of all windows linked into this image, and one that is empty.
pub(crate) fn table() -> &'static [Descriptor] {
    let (first, end): (*const Descriptor, *const Descriptor);
    // SAFETY: address computations. The linker defines both symbols for every
    // section whose name is a C identifier; hidden, so that each image sees its
    // own table. The empty descriptor, which `kept` refers to, keeps the
    // section in a program without a single marked call, where the linker would
    // drop it and leave the symbols undefined.
    unsafe {
        asm!(
            ".hidden __start_stop_windows",
            ".hidden __stop_stop_windows",
            // mutant: program-without-window-links
            ".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".quad 0, 0, 0, 0",
            ".popsection",
            "lea {kept}, [rip + 20b]",
            "lea {first}, [rip + __start_stop_windows]",
            "lea {end}, [rip + __stop_stop_windows]",
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
    unsafe { (*context).uc_mcontext.gregs[libc::REG_RIP as usize] as usize }
}

/// Where the thread continues when the handler returns.
///
/// # Safety
///
/// As [`program_counter`]; `pc` is the abort address of the interrupted window.
pub(crate) unsafe fn set_program_counter(context: *mut Context, pc: usize) {
    // SAFETY: as above, and exclusive: the context lives in this signal frame.
    unsafe { (*context).uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64 }
}

/// What `__rseq_offset` counts from.
pub(crate) fn thread_pointer() -> *mut c_void {
    let pointer;
    // SAFETY: the x86-64 TLS ABI keeps the thread pointer itself in its first
    // word (ELF Handling For Thread-Local Storage, variant II).
    unsafe {
        asm!("mov {}, qword ptr fs:[0]", out(reg) pointer,
            options(nostack, preserves_flags, readonly, pure));
    }
    pointer
}
