//! The mask that an armed thread has, and the one that it believes to have.
//!
//! # Safety
//!
//! The invariant of this module: a record is the calling thread's own.

#![allow(unsafe_code)]

use super::super::at_once::SYS_IO_PGETEVENTS;
use super::super::kernel::{given, plain};
use super::actions::SIGSYS;
use crate::runtime::record::Record;
use core::ffi::{c_int, c_long};
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

/// Whether a handler that interrupts this wait has `SIGSYS` blocked, by the mask that the
/// call brings along. Of those that are made: a poll or a select is not, except without its
/// mask.
pub(super) fn waits_with_sigsys_blocked(number: c_long, args: &[usize; 6]) -> bool {
    const IN_A_STRUCTURE: usize = 8;
    let mask = match number {
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => Some(args[4]),
        libc::SYS_io_uring_enter if args[3] & IN_A_STRUCTURE == 0 => Some(args[4]),
        libc::SYS_io_uring_enter => given::<usize>(args[4]),
        SYS_IO_PGETEVENTS => given::<usize>(args[5]),
        _ => None,
    };
    mask.and_then(given::<u64>).is_some_and(|mask| mask & SIGSYS != 0)
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
