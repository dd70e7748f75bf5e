//! No calls are handed over: not on this architecture, or in no version of its kernel.

use crate::runtime::record::Record;
use crate::window::Context;

/// As [`arm`] takes it.
pub(crate) fn mask_of(mask: &mut libc::sigset_t) -> &mut libc::sigset_t {
    mask
}

pub(crate) fn tick(_: &Record, _: &mut Context) {}

pub(crate) fn arm(_: &Record, _: &mut libc::sigset_t) -> bool {
    false
}

pub(crate) fn arm_here(_: &Record) {}

pub(crate) fn disarm(_: &Record) {}

pub(crate) fn forget(_: &Record) {}
