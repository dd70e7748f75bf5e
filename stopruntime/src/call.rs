//! The one gate through which every stop-checked system call goes: window in,
//! the request looked at on the way out, the result decoded.
//!
//! # Safety
//!
//! The invariant of this module: a window is only entered with the calling
//! thread's own line, and the caller answers for the system call itself.

#![allow(unsafe_code)]

use crate::flag_wait;
use crate::foreign::Paused;
use crate::kernel::plain::plain;
use crate::ppoll;
use crate::runtime::attach;
use crate::runtime::futex::timespec;
use crate::runtime::record::Record;
use crate::runtime::slot;
use crate::scope::Stopped;
use crate::window;
use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicU32, Ordering};
use std::io;
use std::time::Instant;

/// What a system call came to: its result, its negated errno, or
/// [`window::STOPPED`]. One register, so that the hot path has one test.
#[derive(Clone, Copy)]
#[must_use]
pub(crate) struct Raw(isize);

impl Raw {
    /// The raw result: negated errno for an error, `-EINTR` only for a signal
    /// that is not a request.
    #[inline(always)]
    pub(crate) fn or_stop(self) -> Result<isize, Stopped> {
        if self.0 == window::STOPPED { Err(Stopped::returned()) } else { Ok(self.0) }
    }

    /// The result as std has it.
    #[inline(always)]
    pub(crate) fn decode(self) -> Result<io::Result<usize>, Stopped> {
        if self.0 >= 0 { Ok(Ok(self.0.cast_unsigned())) } else { self.fail() }
    }

    #[cold]
    #[inline(never)]
    fn fail<T>(self) -> Result<io::Result<T>, Stopped> {
        let raw = self.or_stop()?;
        Ok(Err(io::Error::from_raw_os_error(errno(raw))))
    }

    /// Whether a signal other than a request came first.
    #[inline(always)]
    pub(crate) fn is_interrupted(self) -> bool {
        self.0 == -(libc::EINTR as isize)
    }
}

/// Makes the system call unless a stop is requested before it begins or while
/// it waits.
///
/// # Safety
///
/// The call is sound with these arguments, also when it is made again after it
/// had no effect.
#[inline(always)]
pub(crate) unsafe fn call<const N: usize>(number: c_long, args: [usize; N]) -> Raw {
    if !window::AVAILABLE {
        // SAFETY: the caller answers for the call.
        return unsafe { instead(attach::registered(), number, widen(args)) };
    }
    let line = slot::line();
    // SAFETY: this thread's line; the caller answers for the call.
    let raw = unsafe { window::syscall(line, number, args) };
    // SAFETY: as above.
    unsafe { settled(line, raw, number, args) }
}

/// The way out of a window: one test for three rare cases, which are a stop, a
/// request since, and a thread that has no window.
///
/// # Safety
///
/// As [`call`]; `raw` is what the window gave for this thread's `line`.
#[inline(always)]
pub(crate) unsafe fn settled<const N: usize>(
    line: *const window::Line,
    raw: isize,
    number: c_long,
    args: [usize; N],
) -> Raw {
    // SAFETY: this thread's line.
    if unsafe { slot::is_quiet(line) } {
        return Raw(raw);
    }
    // SAFETY: as above.
    unsafe { look_closer(raw, number, widen(args)) }
}

const fn widen<const N: usize>(args: [usize; N]) -> [usize; 6] {
    let mut all = [0; 6];
    let mut index = 0;
    while index < N {
        all[index] = args[index];
        index += 1;
    }
    all
}

/// # Safety
///
/// As [`call`]; `raw` is what the window gave.
#[cold]
#[inline(never)]
unsafe fn look_closer(mut raw: isize, number: c_long, args: [usize; 6]) -> Raw {
    let known = slot::record().is_some();
    let record = attach::registered();
    if !record.has_window() || record.stands_in() {
        // SAFETY: the caller answers for the call.
        return unsafe { instead(record, number, args) };
    }
    // mutant: first-call-is-made
    if !known {
        // The first marked call of this thread: nothing has happened yet.
        // SAFETY: as above, with this thread's own line.
        raw = unsafe { window::syscall(slot::line(), number, args) };
    }
    // SAFETY: this thread's line.
    while !unsafe { slot::is_quiet(slot::line()) } {
        // mutant: settles-after-every-call
        let met_a_signal = record.settle();
        let look = record.evaluate();
        // Interrupted, by a signal that may have been the request's: no effect.
        // mutant: call-took-effect-gives-result
        let without_effect = raw == window::STOPPED || Raw(raw).is_interrupted();
        let disturbed = met_a_signal || look.met_a_signal;
        // mutant: shielded-call-reports-no-stop
        if without_effect && look.take() {
            return Raw(window::STOPPED);
        }
        // mutant: interrupted-call-is-made-again
        if raw != window::STOPPED && !(Raw(raw).is_interrupted() && disturbed) {
            break;
        }
        // The flag was up for a scope that has been left, or that a shield hides; or the
        // signal for such a scope has interrupted the call, where requesters cannot tell.
        // SAFETY: as above.
        raw = unsafe { window::syscall(slot::line(), number, args) };
    }
    Raw(raw)
}

/// # Safety
///
/// As [`call`].
#[cold]
unsafe fn instead(record: &Record, number: c_long, args: [usize; 6]) -> Raw {
    if record.stands_in() {
        if record.must_stop() {
            return Raw(window::STOPPED);
        }
        // No request reaches it.
        // SAFETY: the caller answers for the call.
        return Raw(unsafe { plain(number, args) });
    }
    let _paused = Paused::begin(record);
    // SAFETY: the caller answers for the call.
    Raw(unsafe { ppoll::call(record, number, args) }.unwrap_or(window::STOPPED))
}

/// The errno in a raw result that is negative.
pub(crate) fn errno(raw: isize) -> c_int {
    raw.unsigned_abs() as c_int
}

/// Waits, stop-checked, while the word has this value. futex(2).
pub(crate) fn wait_while(word: &AtomicU32, value: u32) -> Result<(), Stopped> {
    while word.load(Ordering::Acquire) == value {
        futex_wait_or_stop(word, value, None)?;
    }
    Ok(())
}

/// One stop-checked futex wait, at most until the deadline; may return early.
/// If it is stopped, it has consumed no wake-up.
pub(crate) fn futex_wait_or_stop(
    word: &AtomicU32,
    value: u32,
    deadline: Option<Instant>,
) -> Result<(), Stopped> {
    let record = attach::registered();
    if flag_wait::serves(record) && flag_wait::wait_while(record, word, value, deadline)? {
        return Ok(());
    }
    let operation = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(timespec);
        let timeout = left.as_ref().map_or(0, |left| core::ptr::from_ref(left) as usize);
        let args = [word.as_ptr() as usize, operation, value as usize, timeout];
        // SAFETY: the word and the time-out outlive the call.
        let raw = unsafe { call(libc::SYS_futex, args) };
        // A foreign signal does not end the wait, as in std.
        // mutant: foreign-signal-does-not-end-sync-wait
        if !raw.is_interrupted() {
            raw.or_stop()?;
            return Ok(());
        }
    }
}
