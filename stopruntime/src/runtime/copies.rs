//! How several copies of the runtime in one process, of whatever version, know
//! each other: by the mask of the installed action, which the kernel hands out
//! to all that ask (sigaction(2)).
//!
//! Copies that share a signal have to agree on whether threads keep it blocked
//! ([`Backend::Ppoll`](crate::Backend::Ppoll)) or unblocked, or the stops of one
//! would be lost. So the action of each says what it does. All signals are
//! blocked while the handler runs, with the exception of some that only a fault
//! in it could raise; no other handler leaves out these and blocks all others:
//!
//! | | `SIGILL` | `SIGTRAP` | `SIGBUS` | `SIGFPE` | `SIGSEGV` | `SIGSYS` |
//! |---|---|---|---|---|---|---|
//! | threads keep the signal unblocked | blocked | not | blocked | blocked | not | not |
//! | threads keep it blocked | blocked | not | not | blocked | blocked | not |
//!
//! This table is part of the runtime's interface: no version may change it.
//!
//! # Safety
//!
//! The invariant of this module: sets are local or the caller's, and filled in
//! before they are looked at.

#![allow(unsafe_code)]

use core::ffi::c_int;

/// The signals that are not blocked.
const fn left_out(masked: bool) -> [c_int; 3] {
    [libc::SIGTRAP, libc::SIGSYS, if masked { libc::SIGBUS } else { libc::SIGSEGV }]
}

/// The mask of an action of ours.
pub(super) fn mask(masked: bool) -> libc::sigset_t {
    // SAFETY: a local set, filled in first.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut set);
        for signal in left_out(masked) {
            libc::sigdelset(&raw mut set, signal);
        }
        set
    }
}

/// Whether the copy that has installed this action keeps the signal blocked in
/// its threads; none if it is no copy's.
pub(super) fn masked_by(action: &libc::sigaction) -> Option<bool> {
    // The kernel blocks neither for anyone.
    const NEVER: [c_int; 2] = [libc::SIGKILL, libc::SIGSTOP];
    // SAFETY: the caller's set.
    let blocked = |signal| unsafe { libc::sigismember(&raw const action.sa_mask, signal) == 1 };
    let has = |masked: bool| {
        (1..32).all(|one| NEVER.contains(&one) || blocked(one) != left_out(masked).contains(&one))
    };
    // mutant: two-copies-agree
    let is_copy = action.sa_flags & libc::SA_SIGINFO != 0;
    [false, true].into_iter().find(|masked| is_copy && has(*masked))
}
