//! Arming and disarming a thread in a region: from the signal handler, from the thread's
//! own code, and as it leaves.
//!
//! A thread is armed only while something that it can see is stopped. What finds that
//! nothing is, because an inner scope was left or a shield stands in between, disarms it;
//! whatever is stopped later arms it again.
//!
//! # Safety
//!
//! The invariant of this module: a record is the calling thread's own.

#![allow(unsafe_code)]

use super::dispatch;
use super::tick;
use crate::runtime::record::Record;
use crate::runtime::region::{DISPATCH, UNARMED};
use crate::runtime::scopes::LOOK;
use crate::window::Context;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The stop signal, or a tick, has found the thread in its region.
///
/// # Safety
///
/// `context` is the one of the signal handler that calls.
pub(crate) unsafe fn on_signal(record: &Record, context: *mut Context, is_tick: bool) {
    // SAFETY: the caller's promise; the handler has it alone.
    let context = unsafe { &mut *context };
    if !record.region.is_watched() {
        // A marked call of a callback, which stops by itself.
        return;
    }
    if record.region.way.load(Relaxed) == DISPATCH {
        if is_tick {
            dispatch::tick(record, context);
        }
        return;
    }
    // mutant: unseen-stop-arms-nothing
    if !record.sees_a_stop() {
        tick::rest(record);
        return;
    }
    if !dispatch::arm(record, context) {
        dispatch::with_room(record, context, |record, context| {
            // SAFETY: the thread executes there.
            unsafe { tick::strike(record, context) };
        });
    }
}

/// A handler of ours makes calls of its own: none is handed over meanwhile. Whether they
/// were.
pub(crate) fn hold(record: &Record) -> bool {
    // mutant: own-handlers-calls-are-not-handed-over
    record.region.selector.swap(0, Relaxed) != 0
}

/// After [`hold`], if they were.
pub(crate) fn resume(record: &Record) {
    if record.region.way.load(Relaxed) == DISPATCH {
        record.region.selector.store(1, Relaxed);
    }
}

/// The thread's own code has found that it is to stop, or that it may be: no signal comes
/// for what was asked for before. Raises its flag.
#[cold]
pub(crate) fn raise(record: &Record) {
    record.line.flag.store(LOOK, SeqCst);
    // mutant: thread-that-finds-stop-arms-itself
    arm_here(record);
}

/// Arms the thread if it is in a region, and to stop.
#[cold]
pub(crate) fn arm_here(record: &Record) {
    let region = &record.region;
    if !region.is_watched() || region.way.load(Relaxed) != UNARMED || !record.sees_a_stop() {
        return;
    }
    dispatch::arm_here(record);
    if region.way.load(Relaxed) == UNARMED {
        tick::start(record);
    }
}

/// The region is closed: puts back what arming has changed.
#[cold]
pub(crate) fn disarm(record: &Record) {
    dispatch::end(record);
    // A tick takes of the stack that was lent: the thread's own may have no room for it.
    // mutant: tick-comes-before-stack-is-given-back
    tick::stop(record);
    dispatch::give_back(record);
    record.region.way.store(UNARMED, Relaxed);
    record.region.no_dispatch.store(false, Relaxed);
    record.region.touched.store(false, Relaxed);
}

/// In a forked child, which has no timer and whose calls are not handed over.
pub(crate) fn after_fork(record: &Record) {
    let region = &record.region;
    if region.is_untouched() && !region.is_open() {
        return;
    }
    region.open.store(0, Relaxed);
    // mutant: forked-child-forgets-dispatch
    dispatch::forget(record);
    tick::forget(record);
    region.way.store(UNARMED, Relaxed);
    region.touched.store(false, Relaxed);
}

/// The thread makes no marked call any more: it is in no region.
pub(crate) fn end(record: &Record) {
    // mutant: ending-thread-is-disarmed
    if record.region.open.swap(0, SeqCst) != 0 || !record.region.is_untouched() {
        disarm(record);
    }
}

/// Whether this signal is a tick of this thread's.
///
/// # Safety
///
/// `info` is the second argument of a `SA_SIGINFO` handler.
pub(crate) unsafe fn is_tick(record: &Record, info: *const libc::siginfo_t) -> bool {
    // SAFETY: the kernel's siginfo; si_value is defined for SI_TIMER.
    unsafe { (*info).si_code == libc::SI_TIMER && tick::is_tick(record, (*info).si_value()) }
}
