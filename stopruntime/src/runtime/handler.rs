//! The whole signal handler.
//!
//! # Safety
//!
//! The invariant of this module: the handler runs on top of arbitrary code, so
//! nothing here allocates, locks, panics or touches a thread-local (in a library
//! that was opened later, the first touch of one allocates), and `errno` is as
//! before when it returns.

#![allow(unsafe_code)]

use crate::foreign;
use crate::runtime::earlier;
use crate::runtime::installed;
use crate::runtime::siginfo;
use crate::runtime::signal::process_id;
use crate::runtime::slot;
use core::ffi::{c_int, c_void};

/// Installed with `SA_SIGINFO`, a full mask and, unless the handler that was
/// there before had other flags, `SA_RESTART | SA_ONSTACK`.
pub(super) unsafe extern "C" fn on_signal(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    // SAFETY: the calling thread's errno, valid for as long as it lives.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    // mutant: handler-touches-no-lazy-state
    let record = slot::record_by_key();
    // No call of ours is handed over, to a handler on top of this one.
    let held = record.is_some_and(foreign::hold);
    // SAFETY: the kernel passes a filled-in siginfo; si_pid is defined for
    // SI_TKILL, si_value for SI_TIMER.
    let (unnumbered, probe) = unsafe {
        let code = (*info).si_code;
        let from_here = code == libc::SI_TKILL && (*info).si_pid() == process_id();
        let probe = code == libc::SI_TIMER && installed::is_probe((*info).si_value());
        // mutant: no-siginfo-still-ours
        (from_here || siginfo::is_bare(info), probe)
    };
    let mut request = false;
    // SAFETY: the kernel's siginfo.
    let tick = record.is_some_and(|record| unsafe { foreign::is_tick(record, info) });
    if let Some(record) = record {
        // Whatever has sent it: the wait looks at the flag once more and goes on.
        // mutant: request-ends-call-about-to-begin
        record.argument.spoil();
    }
    // mutant: signal-ours-while-claimed
    if let Some(record) = record.filter(|record| record.claim.is_open()) {
        // SAFETY: the kernel's siginfo.
        let sequence = unsafe { siginfo::sequence(info, record) };
        // Once the number has come, a signal without one is foreign.
        // mutant: foreign-signal-reaches-handler
        request = sequence.is_some() || unnumbered && record.claim.expects();
        if let Some(sequence) = sequence {
            record.claim.delivered(sequence);
        }
        // Without windows the interrupted `ppoll` reports by itself.
        // mutant: one-signal-without-windows
        if record.has_window() {
            // Whatever siginfo says: pending signals of one number are merged, and
            // over the limit of pending ones the kernel drops their siginfo. To look
            // at the flag once more does no harm. SAFETY: the third argument of a
            // SA_SIGINFO handler.
            unsafe { divert(signal, context.cast(), record) }
        }
    }
    if let Some(record) = record.filter(|record| record.region.is_open()) {
        // SAFETY: the third argument of a SA_SIGINFO handler.
        unsafe { foreign::on_signal(record, context.cast(), tick) }
    }
    if let Some(record) = record.filter(|_| held) {
        foreign::resume(record);
    }
    // mutant: probes-timer-not-passed-on
    if !(probe || request || tick) {
        // It may be a request's whose siginfo has not come through (an emulator
        // changes it): no reason to end.
        let unclear = crate::runtime::scopes::in_flight::any_requested();
        // SAFETY: the arguments the kernel called us with.
        // mutant: foreign-signal-passed-on
        unsafe { earlier::chain(signal, info, context, !(unclear || siginfo::is_stop(info))) }
    }
    // SAFETY: as above.
    // mutant: handler-leaves-errno-alone
    unsafe { *errno = saved };
}

/// # Safety
///
/// `context` is the interrupted context, and this thread's.
unsafe fn divert(
    signal: c_int,
    context: *mut crate::window::Context,
    record: &crate::runtime::record::Record,
) {
    use crate::window::{Place, find, program_counter, set_program_counter};
    use core::sync::atomic::Ordering::Relaxed;

    // SAFETY: the caller's context, and the record of this thread.
    match unsafe { find(&record.line, program_counter(context)) } {
        // SAFETY: the pc is inside the window that this address belongs to,
        // and its code is written to go on from there at any instruction.
        // mutant: handler-diverts
        Place::Inside(abort) => unsafe { set_program_counter(context, abort) },
        // A foreign handler may be running on top of a window. Come back when it
        // has returned, as musl's cancellation does: its return restores the mask it was entered with.
        // If it is only the last steps of a marked call, `settle` unblocks.
        // mutant: no-diversion-outside-call
        Place::Outside if record.line.marker.load(Relaxed) != 0 => {
            // SAFETY: the mask lives in this signal frame.
            // mutant: blocked-under-foreign-handler
            unsafe { libc::sigaddset(&raw mut (*context).uc_sigmask, signal) };
            // mutant: foreign-handler-on-top-window
            record.send_again();
        }
        // On an edge the flag is tested on the way out anyway.
        Place::Edge | Place::Outside => {}
    }
}
