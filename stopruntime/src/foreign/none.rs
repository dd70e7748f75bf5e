//! Nothing is armed: an architecture whose registers the runtime does not know.
//!
//! # Safety
//!
//! Nothing here does anything.

#![allow(unsafe_code)]

use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::window::Context;
use core::sync::atomic::Ordering::SeqCst;

/// Says what a system call gives in a [`foreign`](crate::foreign()) region that is being
/// stopped: on this architecture, what it gives outside.
pub const FOREIGN_CALLS: &[(&str, &str)] = &[("all", "runs")];

/// Changes nothing.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn on_signal(_: &Record, _: *mut Context, _: bool) {}

/// Raises the thread's flag.
#[cold]
pub(crate) fn raise(record: &Record) {
    record.line.flag.store(LOOK, SeqCst);
}

/// Nothing is handed over.
pub(crate) fn hold(_: &Record) -> bool {
    false
}

pub(crate) fn resume(_: &Record) {}

pub(crate) fn disarm(_: &Record) {}

pub(crate) fn arm_here(_: &Record) {}

pub(crate) fn after_fork(record: &Record) {
    record.region.open.store(0, SeqCst);
}

pub(crate) fn end(record: &Record) {
    record.region.open.store(0, SeqCst);
}

/// There are none.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn is_tick(_: &Record, _: *const libc::siginfo_t) -> bool {
    false
}
