//! The registers of a system call on x86-64: number `rax`, arguments `rdi rsi rdx r10
//! r8 r9`, result `rax`.
//!
//! # Safety
//!
//! The invariant of this module: the context is the one that the kernel has handed to
//! the signal handler that calls it.

#![allow(unsafe_code)]

use super::Behind;
use crate::window::Context;
use core::ffi::c_long;

const ARGUMENTS: [i32; 6] =
    [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9];

/// `syscall`.
const INSTRUCTION: [u8; 2] = [0x0f, 0x05];

/// Above it: the vsyscall page, which may not be readable.
const TOP: usize = 0x7fff_ffff_f000;

pub(crate) fn register(context: &Context, index: i32) -> usize {
    context.uc_mcontext.gregs[index as usize] as usize
}

pub(crate) fn set_register(context: &mut Context, index: i32, value: usize) {
    context.uc_mcontext.gregs[index as usize] = value as i64;
}

pub(crate) fn stack(context: &Context) -> usize {
    register(context, libc::REG_RSP)
}

pub(crate) fn result(context: &Context) -> isize {
    register(context, libc::REG_RAX).cast_signed()
}

pub(crate) fn set_result(context: &mut Context, value: isize) {
    set_register(context, libc::REG_RAX, value.cast_unsigned());
}

pub(crate) fn arguments(context: &Context) -> [usize; 6] {
    ARGUMENTS.map(|index| register(context, index))
}

pub(crate) fn set_argument(context: &mut Context, which: usize, value: usize) {
    set_register(context, ARGUMENTS[which], value);
}

/// The number of the system call that the thread is about to make here, if this is one.
///
/// # Safety
///
/// The thread executes at `pc`.
pub(crate) unsafe fn about_to_call(context: &Context, pc: usize) -> Option<c_long> {
    // SAFETY: the thread executes there; an instruction that is cut off by the end of
    // the mapping would have faulted.
    let is = pc < TOP && unsafe { code::<1>(pc) } == INSTRUCTION[..1] && {
        // SAFETY: no instruction of one byte begins with this one.
        unsafe { code::<1>(pc + 1) == INSTRUCTION[1..] }
    };
    is.then(|| register(context, libc::REG_RAX) as c_long)
}

/// What has just returned here. The kernel keeps no number: the instruction in front may
/// tell it.
///
/// # Safety
///
/// The thread executes at `pc`.
pub(crate) unsafe fn has_called(_: &Context, pc: usize) -> Behind {
    // Of the same page, so that it is readable as `pc` is.
    if pc >= TOP || pc % 4096 < 2 {
        return Behind::Nothing;
    }
    // SAFETY: as said.
    if unsafe { code::<2>(pc - 2) } != INSTRUCTION {
        return Behind::Nothing;
    }
    let before = pc - 2;
    if before % 4096 < 7 {
        return Behind::Unknown;
    }
    // SAFETY: of the same page.
    let near = unsafe { code::<5>(before - 5) };
    // SAFETY: as above.
    let wide = unsafe { code::<7>(before - 7) };
    match (near, wide) {
        // mov eax, N; mov rax, N
        ([0xb8, number @ ..], _) | (_, [0x48, 0xc7, 0xc0, number @ ..]) => {
            Behind::Call(c_long::from(i32::from_le_bytes(number)))
        }
        _ => Behind::Unknown,
    }
}

/// # Safety
///
/// These bytes are readable.
unsafe fn code<const N: usize>(address: usize) -> [u8; N] {
    // SAFETY: the caller's promise; bytes have no alignment.
    unsafe { (address as *const [u8; N]).read_volatile() }
}

/// How long the instruction is.
pub(crate) const LENGTH: usize = INSTRUCTION.len();
