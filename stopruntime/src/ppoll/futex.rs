//! Futex waits: over the caller's words and the flag by `futex_waitv(2)`, Linux
//! 5.16. Where that is missing or does not do, the plain wait with its time-out
//! spoiled.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::spoiled::{self, Part, once};
use crate::flag_wait::{is_refused, nowhere, takes_words, with_words};
use crate::kernel::abi::LongTime;
use crate::kernel::clock::{duration, now};
use crate::kernel::given::{each_given, given, is_long_time, is_time};
use crate::kernel::plain::{INTERRUPTED, plain};
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_int;
use libc::futex_waitv;
use std::time::Duration;

const FLAGS: c_int = libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
const TIMED_OUT: isize = -(libc::ETIMEDOUT as isize);
const SIZE_U32: u32 = 2;
const PRIVATE: u32 = libc::FUTEX_PRIVATE_FLAG as u32;
const ANY_BIT: u32 = libc::FUTEX_BITSET_MATCH_ANY as u32;

/// futex(2): waits for the word; the other operations do not wait, or are made
/// so that they do not.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn wait(record: &Record, mut args: [usize; 6]) -> Result<isize, Stopped> {
    let operation = args[1] as c_int;
    let command = operation & !FLAGS;
    // What is waited for with the flag: others queue in the kernel, or for some
    // bits alone.
    let with_others = match command {
        libc::FUTEX_WAIT => true,
        // mutant: mask-bits-handed-on
        libc::FUTEX_WAIT_BITSET => args[5] as u32 == ANY_BIT,
        libc::FUTEX_LOCK_PI | libc::FUTEX_LOCK_PI2 | libc::FUTEX_WAIT_REQUEUE_PI => false,
        // SAFETY: the caller's call; it does not wait.
        _ => return Ok(unsafe { plain(libc::SYS_futex, args) }),
    };
    let clock = if operation & libc::FUTEX_CLOCK_REALTIME != 0 {
        libc::CLOCK_REALTIME
    } else {
        libc::CLOCK_MONOTONIC
    };
    // SAFETY: the caller's time-out, if it gave one; relative for FUTEX_WAIT.
    let timeout = unsafe { given::<libc::timespec>(args[3]) };
    if timeout.is_some_and(|time| !is_time(time)) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(libc::SYS_futex, args) });
    }
    let deadline = timeout.map(|time| {
        let start = if command == libc::FUTEX_WAIT { now(clock) } else { Duration::ZERO };
        crate::runtime::futex::timespec(start + duration(time))
    });
    if command == libc::FUTEX_WAIT {
        // The same with a deadline, should it come to that.
        args[1] = (operation & FLAGS | libc::FUTEX_WAIT_BITSET) as usize;
        args[5] = ANY_BIT as usize;
    }
    if !(with_others && takes_words()) {
        // SAFETY: the caller's word.
        return unsafe { with_time_out(record, args, deadline) };
    }
    let mut word = nowhere();
    word.uaddr = args[0] as u64;
    word.val = u64::from(args[2] as u32);
    word.flags = SIZE_U32 | operation as u32 & PRIVATE;
    let until = deadline.map(LongTime::of);
    let until = until.as_ref().map_or(0, |until| core::ptr::from_ref(until) as usize);
    // SAFETY: the caller's word; the deadline outlives the call.
    // mutant: wake-up-kept
    let raw = unsafe { with_words(record, &mut [nowhere(), word], until, clock as usize)? };
    if is_refused(raw) {
        // SAFETY: the caller's word.
        return unsafe { with_time_out(record, args, deadline) };
    }
    Ok(raw.min(0))
}

/// The plain wait. It has a time-out always, the furthest if it needs none, and
/// that is what the handler spoils.
///
/// # Safety
///
/// As futex(2) with these arguments.
unsafe fn with_time_out(
    record: &Record,
    mut args: [usize; 6],
    deadline: Option<libc::timespec>,
) -> Result<isize, Stopped> {
    let mut until = deadline.unwrap_or(crate::runtime::futex::timespec(Duration::MAX));
    args[3] = &raw mut until as usize;
    loop {
        let part = Part::all_ones(&raw mut until, libc::EINVAL);
        // SAFETY: the caller's word; the time-out outlives the call.
        match unsafe { once(record, libc::SYS_futex, args, part)? } {
            // Another signal ends the plain wait only if that has a
            // time-out.
            // mutant: callers-time-out
            Some(INTERRUPTED | TIMED_OUT) if deadline.is_none() => {}
            Some(raw) => return Ok(raw),
            // The caller does not see a stray signal, nor a request that is held.
            None => {}
        }
    }
}

/// `futex_waitv(2)`: the index that is reported is one of the caller's words.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn wait_for_any(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    const MOST: usize = libc::FUTEX_WAITV_MAX as usize;
    let [words, count, flags, deadline, clock, _] = args;
    if words == 0 || count == 0 || count > MOST || flags != 0 {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(libc::SYS_futex_waitv, args) });
    }
    if count == MOST {
        // SAFETY: the caller's call.
        return unsafe { for_all(record, args) };
    }
    let mut all = Vec::with_capacity(count + 1);
    all.push(nowhere());
    // SAFETY: the caller's words.
    all.extend(unsafe { each_given::<futex_waitv>(words, count) });
    // SAFETY: the caller's words and deadline.
    unsafe { with_words(record, &mut all, deadline, clock) }
}

/// As many words as the kernel takes, so that there is no room for the flag: the
/// plain wait with its time-out spoiled.
///
/// # Safety
///
/// As `futex_waitv(2)`.
unsafe fn for_all(record: &Record, mut args: [usize; 6]) -> Result<isize, Stopped> {
    // SAFETY: the caller's deadline, if it gave one.
    let given = unsafe { given::<LongTime>(args[3]) };
    if given.is_some_and(|time| !is_long_time(time)) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(libc::SYS_futex_waitv, args) });
    }
    let never = LongTime::of(crate::runtime::futex::timespec(Duration::MAX));
    let mut until = given.unwrap_or(never);
    args[3] = &raw mut until as usize;
    if given.is_none() {
        args[4] = libc::CLOCK_MONOTONIC as usize;
    }
    // SAFETY: the caller's words; the time-out outlives the call.
    unsafe {
        spoiled::wait(
            record,
            libc::SYS_futex_waitv,
            args,
            Part::all_ones(&raw mut until, libc::EINVAL),
        )
    }
}
