//! The registers of a system call on riscv64: number `a7`, which it keeps, arguments
//! `a0` to `a5`, result `a0`.
//!
//! # Safety
//!
//! The invariant of this module: the context is the one that the kernel has handed to
//! the signal handler that calls it.

#![allow(unsafe_code)]

use super::Behind;
use crate::window::Context;
use core::ffi::c_long;

/// `ecall`.
const INSTRUCTION: u32 = 0x0000_0073;
const SP: usize = 2;
const A0: usize = 10;
const A7: usize = 17;

pub(crate) fn stack(context: &Context) -> usize {
    context.uc_mcontext.__gregs[SP] as usize
}

pub(crate) fn result(context: &Context) -> isize {
    context.uc_mcontext.__gregs[A0] as isize
}

pub(crate) fn set_result(context: &mut Context, value: isize) {
    context.uc_mcontext.__gregs[A0] = value as u64;
}

pub(crate) fn arguments(context: &Context) -> [usize; 6] {
    core::array::from_fn(|index| context.uc_mcontext.__gregs[A0 + index] as usize)
}

pub(crate) fn set_argument(context: &mut Context, which: usize, value: usize) {
    context.uc_mcontext.__gregs[A0 + which] = value as u64;
}

/// The number of the system call that the thread is about to make here, if this is one.
///
/// # Safety
///
/// The thread executes at `pc`.
pub(crate) unsafe fn about_to_call(context: &Context, pc: usize) -> Option<c_long> {
    // SAFETY: the thread executes there; the second half is only looked at behind the
    // first half of an instruction of four bytes.
    let is = unsafe { half(pc) == INSTRUCTION as u16 && half(pc + 2) == 0 };
    is.then(|| context.uc_mcontext.__gregs[A7] as c_long)
}

/// What has just returned here.
///
/// # Safety
///
/// The thread executes at `pc`.
pub(crate) unsafe fn has_called(context: &Context, pc: usize) -> Behind {
    if pc % 4096 < LENGTH {
        return Behind::Nothing;
    }
    // SAFETY: of the same page.
    let is = unsafe { half(pc - LENGTH) == INSTRUCTION as u16 && half(pc - 2) == 0 };
    if is { Behind::Call(context.uc_mcontext.__gregs[A7] as c_long) } else { Behind::Nothing }
}

/// Instructions are aligned to two bytes.
///
/// # Safety
///
/// Half an instruction is readable there.
unsafe fn half(address: usize) -> u16 {
    // SAFETY: the caller's promise.
    unsafe { (address as *const u16).read_volatile() }
}

/// How long the instruction is.
pub(crate) const LENGTH: usize = 4;
