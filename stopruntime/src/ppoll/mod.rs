//! The backend without assembly. The stop signal is blocked in the thread, and
//! unblocked while a call waits: by the kernel, together with the wait, where the
//! call has a signal mask of its own; around the plain call where it has an
//! argument in memory, which the signal's handler [spoils](crate::runtime::spoil).
//! A few calls are waited for by others: a child by its pidfd, a sleep by `ppoll`.
//!
//! A call that cannot be waited for in any such way fails with `ENOTSUP` if it
//! would have to wait: there is never a silent unstoppable wait. Which call goes
//! which way, and why nothing better is possible for those that are refused, stands
//! at [`sys`](crate::sys#backends).
//!
//! A call goes forward only: [`call`] → `dispatch`, which finds its technique by the
//! number ([`How`], `numbers`) → the technique → `inside`, where it waits → `plain`.
//!
//! # Safety
//!
//! The invariant of this module: the caller answers for the system call with these
//! arguments, and what is made in its place has the same effect with the same
//! memory, or a copy of what the call only reads.

#![allow(unsafe_code)]

mod accept;
mod children;
mod connect;
mod dispatch;
mod file;
mod futex;
mod how;
mod inside;
mod ipc;
mod locks;
mod look;
pub(crate) mod mask;
mod masked;
mod numbers;
mod open;
mod sleep;
mod spoiled;
mod transfer;
mod turn;
mod wait;

pub(crate) use file::{is_on_disk, kind_of};
pub(crate) use how::How;
#[cfg(feature = "io-uring")]
pub(crate) use inside::inside;
pub(crate) use look::{has_now, is_nonblocking, is_ready};

use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_long;

/// Stands in for the system call: same effect, same raw result.
///
/// # Safety
///
/// As the system call itself.
pub(crate) unsafe fn call(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    // mutant: call-not-begun-when-requested
    record.check()?;
    // SAFETY: the caller answers for the call.
    unsafe { dispatch::dispatch(record, number, args) }
}
