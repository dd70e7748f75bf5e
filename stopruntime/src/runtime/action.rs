//! The action of the signal: installing the handler, and putting back what was there.
//!
//! # Safety
//!
//! The invariant of this module: the handler is installed only with what the
//! signal did before [kept](earlier), and reads nothing that a later attempt to
//! install writes.

#![allow(unsafe_code)]

use crate::runtime::copies;
use crate::runtime::earlier;
use crate::runtime::handler;
use crate::runtime::image;
use crate::runtime::installed;
use crate::runtime::signal;
use core::ffi::{c_int, c_void};
use std::io;

/// Whether it can be caught, no fault raises it, its default action is not to stop
/// the process (which only the kernel can do for a stray one), and sending it
/// cannot fail, as sending a real-time signal does when too many are pending
/// (sigqueue(3)).
pub(crate) fn is_usable(signal: c_int) -> bool {
    const REFUSED: [c_int; 11] = [
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGTRAP,
        libc::SIGSYS,
    ];
    // mutant: unusable-signals-refused
    (1..32).contains(&signal) && !REFUSED.contains(&signal)
}

/// Why the handler was not installed.
pub(super) enum Refusal {
    /// sigaction(2) failed.
    Io(io::Error),
    /// Another copy of the runtime has the signal, and its threads keep it
    /// blocked where ours would not, or the other way round.
    OtherCopy,
}

/// Installs the handler, for threads that keep the signal blocked (`masked`) or
/// not, or as another copy of the runtime has it. Whether they do.
pub(super) fn install(signal: c_int, masked: Option<bool>) -> Result<bool, Refusal> {
    // mutant: closed-library-leaves-no-handler
    image::stay(handler::on_signal as *const c_void);
    loop {
        let mut before = exchange(signal, None).map_err(Refusal::Io)?;
        if is_ours(&before)
            && let Some(kept) = earlier::action(signal)
        {
            // Of an installation in whose midst the process was forked.
            before = *kept;
        }
        let theirs = copies::masked_by(&before);
        let masked = masked.or(theirs).unwrap_or(false);
        if theirs.is_some_and(|theirs| theirs != masked) {
            return Err(Refusal::OtherCopy);
        }
        earlier::keep(signal, before);
        installed::set_signal(signal);
        // SAFETY: zeroed is an action; the handler keeps its module's invariant.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = handler::on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | earlier::flags_after(signal, &before);
        action.sa_mask = copies::mask(masked);
        let replaced = exchange(signal, Some(&action)).map_err(Refusal::Io)?;
        let as_seen = replaced.sa_sigaction == before.sa_sigaction
            && replaced.sa_flags == before.sa_flags
            && copies::masked_by(&replaced) == theirs;
        if as_seen || is_ours(&replaced) {
            signal::register_membarrier();
            return Ok(masked);
        }
        // Another installation, of whatever handler, came between: once more.
        exchange(signal, Some(&replaced)).map_err(Refusal::Io)?;
    }
}

/// Puts back what was there before, when no request can have been made yet;
/// unless another handler is on top of ours by now.
pub(super) fn uninstall() {
    let signal = installed::signal();
    if exchange(signal, None).is_ok_and(|now| is_ours(&now)) {
        let _ = exchange(signal, earlier::action(signal));
    }
}

/// Whether another handler stands in the place of this runtime's, or of another copy's,
/// which calls this one's.
pub(crate) fn is_replaced() -> bool {
    exchange(installed::signal(), None)
        .is_ok_and(|now| !is_ours(&now) && copies::masked_by(&now).is_none())
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == handler::on_signal as *const () as usize
}

/// The action of a signal, which is replaced if another is given. sigaction(2).
fn exchange(signal: c_int, action: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let action = action.map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: zeroed is an action, in a place of its own; the new one is null or
    // an action whose handler keeps its module's invariant, or was there before.
    unsafe {
        let mut before: libc::sigaction = core::mem::zeroed();
        match libc::sigaction(signal, action, &raw mut before) {
            0 => Ok(before),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
