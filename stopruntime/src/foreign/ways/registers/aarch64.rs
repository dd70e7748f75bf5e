//! The registers of a system call on aarch64: number `x8`, which it keeps, arguments
//! `x0` to `x5`, result `x0`.
//!
//! # Safety
//!
//! The invariant of this module: the context is the one that the kernel has handed to
//! the signal handler that calls it.

#![allow(unsafe_code)]

use super::Behind;
use crate::window::Context;
use core::ffi::c_long;

/// `svc #0`.
const INSTRUCTION: u32 = 0xd400_0001;

pub(crate) fn stack(context: &Context) -> usize {
    context.uc_mcontext.sp as usize
}

pub(crate) fn result(context: &Context) -> isize {
    context.uc_mcontext.regs[0] as isize
}

pub(crate) fn set_result(context: &mut Context, value: isize) {
    context.uc_mcontext.regs[0] = value as u64;
}

pub(crate) fn arguments(context: &Context) -> [usize; 6] {
    core::array::from_fn(|index| context.uc_mcontext.regs[index] as usize)
}

pub(crate) fn set_argument(context: &mut Context, which: usize, value: usize) {
    context.uc_mcontext.regs[which] = value as u64;
}

/// The number of the system call that the thread is about to make here, if this is one.
///
/// # Safety
///
/// The thread executes at `pc`.
pub(crate) unsafe fn about_to_call(context: &Context, pc: usize) -> Option<c_long> {
    // SAFETY: the thread executes there.
    (unsafe { code(pc) } == INSTRUCTION).then(|| context.uc_mcontext.regs[8] as c_long)
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
    let is = unsafe { code(pc - LENGTH) } == INSTRUCTION;
    if is { Behind::Call(context.uc_mcontext.regs[8] as c_long) } else { Behind::Nothing }
}

/// # Safety
///
/// An instruction is readable there.
unsafe fn code(address: usize) -> u32 {
    // SAFETY: the caller's promise; instructions are aligned.
    u32::from_le(unsafe { (address as *const u32).read_volatile() })
}

/// How long the instruction is.
pub(crate) const LENGTH: usize = 4;
