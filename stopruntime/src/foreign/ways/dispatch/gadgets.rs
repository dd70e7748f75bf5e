//! The range of code whose system calls the kernel lets pass: how our handler returns, and
//! how a call that is to run is made.
//!
//! Such a call is made by the thread itself, on its own stack and under its own mask, by a
//! few instructions that the handler sends it to, with the address to come back to in a
//! register that `syscall` destroys anyway. So stacks, masks, restarts, forks and nested
//! handlers are the kernel's affair, as without us.
//!
//! # Shadow stacks
//!
//! Argued from the kernel's sources (`arch/x86/kernel/shstk.c` and `shstk.rst` there); not
//! run, for want of such a kernel. A processor with CET compares the address that a `ret`
//! takes off the stack with the one that the `call` has put on the shadow stack.
//!
//! - As a signal is delivered the kernel puts the old shadow stack pointer there, marked, and
//!   on top of it the address of the action's own restorer: ours. The handler's `ret` finds
//!   the same address on both. What `rt_sigreturn(2)` then takes off is that mark alone; it
//!   does not look at the program counter of the context, which we have changed.
//! - No piece has a `call` or a `ret`: it is come to by a return from a handler and left by a
//!   jump, so that the code behind the system call finds the shadow stack as it was. A child
//!   on a stack of its own begins with an empty shadow stack, and takes nothing off either.
//! - The return of the thread's own handlers is handed over when its restorer's `ret` is
//!   done: the mark of that signal lies on top again when `sigreturn` makes the call.
//! - Where the runtime runs on a stack that it lends, calls and returns are still in pairs,
//!   and signal handlers on an alternate stack have no shadow stack of their own.
//! - A region that `siglongjmp(3)` leaves is libc's affair, which winds the shadow stack back.
//!
//! Jumps need no mark where they lead to (IBT): Linux has that for the kernel alone.
//!
//! # Safety
//!
//! The invariant of this module: each piece keeps all registers except those that the
//! system call destroys, and the red zone; what it stores it stores below the stack
//! pointer that it has lowered before.

#![allow(unsafe_code)]

use core::arch::asm;

/// How far below the caller's stack a piece stores the address to come back to: beyond the
/// red zone, and a multiple of 16.
pub(super) const BELOW: usize = 144;

/// Addresses.
#[derive(Clone, Copy)]
pub(super) struct Gadgets {
    pub(super) start: usize,
    pub(super) length: usize,
    /// What a handler returns to.
    pub(super) restorer: usize,
    /// Makes a call, and comes back to `rcx`.
    pub(super) call: usize,
    /// Its system call.
    pub(super) inside_call: usize,
    /// The same of `clone(2)` with a stack, on which the address lies as well.
    pub(super) clone: usize,
    /// The same of one whose child comes back on the same or on an unknown stack: to `r9`,
    /// which no such call reads.
    pub(super) by_register: usize,
    /// A `rt_sigreturn(2)`, which does not come back.
    pub(super) sigreturn: usize,
}

#[inline(never)]
pub(super) fn gadgets() -> Gadgets {
    let (start, end, restorer, call, inside_call, clone, by_register, sigreturn);
    // SAFETY: forms addresses; the pieces stand in a section of their own.
    unsafe {
        asm!(
            ".pushsection .text.stop_foreign, \"ax\", @progbits",
            ".balign 16",
            "20:",
            "nop",
            // The bytes by which debuggers and unwinders know a signal frame.
            "21:",
            ".byte 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05",
            "22:",
            "lea rsp, [rsp - {below}]",
            "mov qword ptr [rsp], rcx",
            "23:",
            "syscall",
            "mov rcx, qword ptr [rsp]",
            "lea rsp, [rsp + {below}]",
            "jmp rcx",
            "24:",
            "lea rsp, [rsp - {below}]",
            "mov qword ptr [rsp], rcx",
            "syscall",
            "mov rcx, qword ptr [rsp]",
            "lea rsp, [rsp + {below}]",
            "lea rsi, [rsi + {below}]",
            "jmp rcx",
            "25:",
            "syscall",
            "jmp r9",
            "26:",
            "syscall",
            "hlt",
            "27:",
            ".popsection",
            "lea {start}, [rip + 20b]",
            "lea {restorer}, [rip + 21b]",
            "lea {call}, [rip + 22b]",
            "lea {inside_call}, [rip + 23b]",
            "lea {clone}, [rip + 24b]",
            "lea {by_register}, [rip + 25b]",
            "lea {sigreturn}, [rip + 26b]",
            "lea {end}, [rip + 27b]",
            below = const BELOW,
            start = out(reg) start,
            end = out(reg) end,
            restorer = out(reg) restorer,
            call = out(reg) call,
            inside_call = out(reg) inside_call,
            clone = out(reg) clone,
            by_register = out(reg) by_register,
            sigreturn = out(reg) sigreturn,
            options(nomem, nostack, preserves_flags),
        );
    }
    let length = usize::wrapping_sub(end, start);
    Gadgets { start, length, restorer, call, inside_call, clone, by_register, sigreturn }
}
