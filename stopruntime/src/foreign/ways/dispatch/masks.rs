//! The mask that an armed thread has, and the one that it believes to have.
//!
//! # Safety
//!
//! The invariant of this module: a record is the calling thread's own.

#![allow(unsafe_code)]

use super::super::kernel::plain;
use super::actions::SIGSYS;
use crate::runtime::record::Record;
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

/// The mask of a frame or a context, in the kernel's size.
pub(crate) fn mask_of(set: &mut libc::sigset_t) -> &mut u64 {
    // SAFETY: at least 64 bits, aligned as such.
    unsafe { &mut *core::ptr::from_mut(set).cast::<u64>() }
}

/// The mask that an armed thread has for the one that it believes to have.
pub(super) fn armed_mask(record: &Record, believed: u64) -> u64 {
    believed & !SIGSYS | record.region.added.load(Relaxed)
}

/// The mask that the thread believes to have.
pub(super) fn believed_mask(record: &Record, mask: u64) -> u64 {
    let region = &record.region;
    mask & !region.added.load(Relaxed) | region.hidden.load(Relaxed)
}

pub(super) fn give_back_mask(record: &Record) {
    let region = &record.region;
    let (added, hidden) = (region.added.swap(0, Relaxed), region.hidden.swap(0, Relaxed));
    if hidden & SIGSYS != 0 {
        // mutant: left-region-blocks-sigsys-again
        change_mask(libc::SIG_BLOCK, SIGSYS);
    }
    if added & !hidden != 0 {
        // What has waited is delivered here.
        // mutant: left-region-delivers-what-waited
        change_mask(libc::SIG_UNBLOCK, added & !hidden);
    }
}

pub(super) fn change_mask(how: c_int, signals: u64) {
    let place = &raw const signals as usize;
    // SAFETY: a set, which outlives the call.
    unsafe { plain(libc::SYS_rt_sigprocmask, [how as usize, place, 0, 8]) };
}
