//! What a stop signal carries: the record it is for, and the number of the
//! claim under which it was sent.
//!
//! # Safety
//!
//! The invariant of this module: [`Queued`] lies in a `siginfo_t` as the
//! kernel's member for queued signals does (`_rt` in asm-generic/siginfo.h).

#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};

#[repr(C)]
struct Queued {
    head: [c_int; 3],
    sender: Sender,
}

/// A struct of its own: the kernel aligns its union as its strictest member.
#[repr(C)]
struct Sender {
    process: c_int,
    user: u32,
    value: *const c_void,
}

const _: () = assert!(
    size_of::<Queued>() <= size_of::<libc::siginfo_t>()
        && align_of::<Queued>() <= align_of::<libc::siginfo_t>()
);

/// What `si_errno` has above the 29 bits of the number: no error, and so no one
/// else's signal, has it.
const MARK: u32 = 5 << 29;

/// The siginfo of a stop signal. The number stands in `si_errno`, which no one
/// else uses and the kernel hands on.
pub(super) fn info<T>(
    signal: c_int,
    process: c_int,
    record: *const T,
    sequence: u32,
) -> libc::siginfo_t {
    // SAFETY: integers and a pointer, for which zero is a value; and the part
    // of it that libc has no names for, inside of it and aligned as it is.
    unsafe {
        let mut info: libc::siginfo_t = core::mem::zeroed();
        info.si_signo = signal;
        info.si_code = libc::SI_QUEUE;
        info.si_errno = (sequence | MARK).cast_signed();
        let sender = &raw mut (*(&raw mut info).cast::<Queued>()).sender;
        (*sender).process = process;
        (*sender).value = record.cast();
        info
    }
}

/// Whether a copy of the runtime has sent this signal, for whatever record.
///
/// # Safety
///
/// `info` is the second argument of a `SA_SIGINFO` handler.
pub(super) unsafe fn is_stop(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the kernel's siginfo, filled in.
    unsafe {
        (*info).si_code == libc::SI_QUEUE && (*info).si_errno.cast_unsigned() & 7 << 29 == MARK
    }
}

/// The number that a signal for this record carries; none if it is a foreign
/// one, or was sent without.
///
/// # Safety
///
/// As for [`is_stop`].
pub(super) unsafe fn sequence<T>(info: *const libc::siginfo_t, record: *const T) -> Option<u32> {
    // SAFETY: the kernel's siginfo; si_value is defined for SI_QUEUE.
    unsafe {
        let ours = is_stop(info) && (*info).si_value().sival_ptr.cast_const() == record.cast();
        ours.then(|| (*info).si_errno.cast_unsigned() & !MARK)
    }
}

/// Whether it has come without its siginfo, as a signal over the limit of
/// pending ones does: the kernel says then that process 0 has sent it
/// (`kill(2)` says so of a process outside of the PID namespace alone).
///
/// # Safety
///
/// As for [`is_stop`].
pub(super) unsafe fn is_bare(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the kernel's siginfo; si_pid is defined for SI_USER.
    unsafe { (*info).si_code == libc::SI_USER && (*info).si_pid() == 0 }
}
