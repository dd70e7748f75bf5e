//! The handler of the shutdown's signals, and what each of them means.
//!
//! The handler counts, and wakes the helper, or the thread that makes reports; they do
//! everything else, as ordinary code. From the third signal on, the handler takes the
//! default action.
//!
//! # Safety
//!
//! The invariant of this module: the handler uses nothing that is not
//! async-signal-safe, and of an action it calls only what is [kept](earlier).

#![allow(unsafe_code)]

use super::reports;
use crate::runtime::futex::futex_wake;
use crate::runtime::{earlier, signal};
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::io;

/// In bits 8 to 15 the number of signals (or of what counts as one), in those above that of
/// reloads, and below the last signal; or [`ENDED`]. The helper waits on it.
pub(super) static STATE: AtomicU32 = AtomicU32::new(ENDED);

/// There is no guard, or it is being dropped.
pub(super) const ENDED: u32 = u32::MAX;

/// The process that has the guard, and a helper: not one that it has forked. 0: none.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Signals under which the handler has been left, because another one was installed over
/// it that may call it. A bit each.
static LEFT: AtomicU32 = AtomicU32::new(0);

/// The signals that are reloads. A bit each.
static RELOADS: AtomicU32 = AtomicU32::new(0);

/// The signals that ask for a report. A bit each.
static REPORTS: AtomicU32 = AtomicU32::new(0);

/// Returns the last signal of this state, and how many signals there were.
pub(super) fn parts(state: u32) -> (c_int, u32) {
    ((state & 0xff) as c_int, state >> 8 & 0xff)
}

/// How many reloads there were, up to the first signal of the other kind.
pub(super) fn reloads(state: u32) -> u32 {
    state >> 16
}

/// The state after a further signal.
pub(super) fn after(state: u32, signal: c_int) -> u32 {
    let count = parts(state).1;
    match is_reload(signal) {
        // There will be no other run.
        true if count > 0 => state,
        true => (reloads(state) + 1) << 16 | signal as u32,
        false => reloads(state) << 16 | (count + 1) << 8 | signal as u32,
    }
}

fn is_reload(signal: c_int) -> bool {
    RELOADS.load(Ordering::Relaxed) & bit(signal) != 0
}

fn is_report(signal: c_int) -> bool {
    REPORTS.load(Ordering::Relaxed) & bit(signal) != 0
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the interrupted code's errno.
    let errno = unsafe { *libc::__errno_location() };
    let is_owner = OWNER.load(Ordering::Acquire) == signal::process_id();
    // mutant: reports-do-not-count
    if is_owner && is_report(signal) {
        reports::ask();
    } else if is_owner {
        let add = |state| (state != ENDED).then(|| after(state, signal));
        if let Ok(before) = STATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, add) {
            // mutant: third-signal-ends-process
            if parts(before).1 >= 2 && !is_reload(signal) {
                earlier::default_action(signal);
                // Where the kernel spares the process: the first of a PID namespace.
                end(signal);
            }
            futex_wake(&STATE);
        }
    }
    let may_end = !is_owner && ends(signal);
    // SAFETY: the kernel's own arguments, or those of a handler that hands them on.
    unsafe {
        earlier::chain(signal, info, context, may_end);
        *libc::__errno_location() = errno;
    }
}

/// Whether no other handler stands over ours.
fn ends(signal: c_int) -> bool {
    is_ours(signal) || action(signal).is_ok_and(|action| action.sa_sigaction == libc::SIG_DFL)
}

fn is_ours(signal: c_int) -> bool {
    action(signal).is_ok_and(|action| action.sa_sigaction == ours())
}

fn ours() -> usize {
    on_signal as *const () as usize
}

fn action(signal: c_int) -> io::Result<libc::sigaction> {
    // SAFETY: zeroed is an action, which the call fills in.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        match libc::sigaction(signal, core::ptr::null(), &raw mut action) {
            0 => Ok(action),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn set_action(signal: c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: an action that the kernel has given out, or ours.
    match unsafe { libc::sigaction(signal, action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// From now on, signals count; these are reloads, and those ask for reports.
pub(super) fn begin(reloads: &[c_int], reports: &[c_int]) {
    let bits = |signals: &[c_int]| signals.iter().fold(0, |bits, signal| bits | bit(*signal));
    RELOADS.store(bits(reloads), Ordering::Relaxed);
    REPORTS.store(bits(reports), Ordering::Relaxed);
    STATE.store(0, Ordering::Release);
    OWNER.store(signal::process_id(), Ordering::Release);
}

/// From now on, signals do what they did before.
pub(super) fn stop() {
    OWNER.store(0, Ordering::Release);
    STATE.store(ENDED, Ordering::Release);
    futex_wake(&STATE);
}

/// Installs the handler. What was there is called for each signal, and comes back with
/// [`restore`].
pub(super) fn install(signal: c_int) -> io::Result<libc::sigaction> {
    let before = action(signal)?;
    // It is called already, by the handler above it.
    if LEFT.load(Ordering::Relaxed) & bit(signal) != 0 {
        return Ok(before);
    }
    earlier::keep(signal, before);
    // SAFETY: zeroed is an action.
    let mut handler: libc::sigaction = unsafe { core::mem::zeroed() };
    handler.sa_sigaction = ours();
    handler.sa_mask = all_but_faults();
    handler.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    set_action(signal, &handler)?;
    Ok(before)
}

/// One signal after the other: the frames of two do not fit on the alternate stack that
/// std gives a thread. What is raised by the code itself comes at once, or kills.
fn all_but_faults() -> libc::sigset_t {
    use libc::{SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    // SAFETY: a local set, filled in first.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        // mutant: shutdown-signals-one-by-one
        libc::sigfillset(&raw mut set);
        for signal in [SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP] {
            libc::sigdelset(&raw mut set, signal);
        }
        set
    }
}

/// Puts back what was there, unless another handler has been installed over ours.
pub(super) fn restore(signal: c_int, before: &libc::sigaction) {
    if is_ours(signal) {
        // mutant: handlers-restored
        let _ = set_action(signal, before);
    } else {
        LEFT.fetch_or(bit(signal), Ordering::Relaxed);
    }
}

fn bit(signal: c_int) -> u32 {
    1 << (signal - 1)
}

/// Ends the process as a shell says that a signal has ended one.
pub(super) fn end(signal: c_int) -> ! {
    // SAFETY: an integer.
    // mutant: cold-exit-code
    unsafe { libc::_exit(128 + signal) }
}
