//! What a stop signal carries: the record it is for, and the number of the
//! claim under which it was sent.
//!
//! # Safety
//!
//! The invariant of this module: [`Queued`] lies in a `siginfo_t` as the
//! kernel's member for queued signals does (`_rt` in asm-generic/siginfo.h).

#![allow(unsafe_code)]

use crate::record::Record;
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

/// The siginfo of a stop signal. The number stands in `si_errno`, which no one
/// else uses and the kernel hands on.
pub(super) fn info(
    signal: c_int,
    process: c_int,
    record: &Record,
    sequence: u32,
) -> libc::siginfo_t {
    // SAFETY: integers and a pointer, for which zero is a value; and the part
    // of it that libc has no names for, inside of it and aligned as it is.
    unsafe {
        let mut info: libc::siginfo_t = core::mem::zeroed();
        info.si_signo = signal;
        info.si_code = libc::SI_QUEUE;
        info.si_errno = sequence.cast_signed();
        let sender = &raw mut (*(&raw mut info).cast::<Queued>()).sender;
        (*sender).process = process;
        (*sender).value = core::ptr::from_ref(record).cast();
        info
    }
}

/// The number that a signal for this record carries; none if it is a foreign
/// one, or was sent without.
///
/// # Safety
///
/// `info` is the second argument of a `SA_SIGINFO` handler.
pub(super) unsafe fn sequence(info: *const libc::siginfo_t, record: &Record) -> Option<u32> {
    // SAFETY: the kernel's siginfo, filled in; si_value is defined for SI_QUEUE.
    unsafe {
        let ours = (*info).si_code == libc::SI_QUEUE
            && (*info).si_value().sival_ptr.cast_const() == core::ptr::from_ref(record).cast();
        ours.then(|| (*info).si_errno.cast_unsigned())
    }
}
