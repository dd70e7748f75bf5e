//! The actions of signals, as the kernel has them: which of them block `SIGSYS`.
//!
//! # Safety
//!
//! The invariant of this module: an action that is set is one whose handler keeps its own
//! module's invariant.

#![allow(unsafe_code)]

use super::super::kernel::plain;
use core::ffi::c_int;

/// The kernel's `struct sigaction`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Action {
    pub(super) handler: usize,
    pub(super) flags: u64,
    pub(super) restorer: usize,
    pub(super) mask: u64,
}

pub(super) const RESTORER: u64 = 0x0400_0000;
/// Handlers of faults: they cannot wait.
pub(super) const FAULTS: u64 = bit(libc::SIGSEGV)
    | bit(libc::SIGBUS)
    | bit(libc::SIGFPE)
    | bit(libc::SIGILL)
    | bit(libc::SIGTRAP);
pub(super) const SIGSYS: u64 = bit(libc::SIGSYS);

pub(super) const fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

pub(super) fn action_of(signal: c_int) -> Option<Action> {
    let mut action = Action { handler: 0, flags: 0, restorer: 0, mask: 0 };
    let place = &raw mut action as usize;
    // SAFETY: a place for the answer.
    let raw = unsafe { plain(libc::SYS_rt_sigaction, [signal as usize, 0, place, 8]) };
    (raw == 0).then_some(action)
}

pub(super) fn set_action(signal: c_int, action: &Action) -> bool {
    let place = core::ptr::from_ref(action) as usize;
    // SAFETY: an action whose handler keeps its module's invariant.
    unsafe { plain(libc::SYS_rt_sigaction, [signal as usize, place, 0, 8]) == 0 }
}

/// Whether this action blocks `SIGSYS` while its handler runs.
pub(super) fn blocks(action: &Action) -> bool {
    ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.handler) && action.mask & SIGSYS != 0
}

/// The signals whose handlers block `SIGSYS`.
pub(super) fn blocking() -> u64 {
    let others =
        (1..=64).filter(|signal| ![libc::SIGSYS, libc::SIGKILL, libc::SIGSTOP].contains(signal));
    let blocks = others.filter(|signal| action_of(*signal).is_some_and(|action| blocks(&action)));
    blocks.fold(0, |all, signal| all | bit(signal))
}
