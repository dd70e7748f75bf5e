//! Futex waits: over the caller's words and the flag by `futex_waitv(2)`, Linux
//! 5.16. Where that is missing, one word is waited for with the signal open.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::event::{duration, now};
use super::{INTERRUPTED, UNSUPPORTED, inside, plain};
use crate::kernel::abi::LongTime;
use crate::kernel::given::{each_given, given, is_time};
use crate::kernel::refusal::is_refusal;
use crate::runtime::record::Record;
use crate::runtime::signal;
use crate::scope::Stopped;
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};
use libc::futex_waitv;
use std::time::Duration;

const AGAIN: isize = -(libc::EAGAIN as isize);
const SIZE_U32: u32 = 2;
const PRIVATE: u32 = libc::FUTEX_PRIVATE_FLAG as u32;
const ANY_BIT: u32 = libc::FUTEX_BITSET_MATCH_ANY as u32;

/// `futex_waitv(2)` has been refused. It is not asked for again.
static NO_WAITV: AtomicBool = AtomicBool::new(false);

/// futex(2): waits for the word; the other operations do not wait, or are made
/// so that they do not.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn wait(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let operation = args[1] as c_int;
    let command = operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    let bits = match command {
        libc::FUTEX_WAIT => ANY_BIT,
        libc::FUTEX_WAIT_BITSET => args[5] as u32,
        // SAFETY: the caller's call.
        libc::FUTEX_LOCK_PI | libc::FUTEX_LOCK_PI2 => return Ok(unsafe { lock(args) }),
        libc::FUTEX_WAIT_REQUEUE_PI => return Ok(UNSUPPORTED),
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
    if bits != ANY_BIT || NO_WAITV.load(Ordering::Relaxed) {
        // SAFETY: the caller's word.
        return unsafe { with_signal_open(record, args, bits, deadline) };
    }
    let mut word = nowhere();
    word.uaddr = args[0] as u64;
    word.val = u64::from(args[2] as u32);
    word.flags = SIZE_U32 | operation as u32 & PRIVATE;
    let until = deadline.map(LongTime::of);
    let until = until.as_ref().map_or(0, |until| core::ptr::from_ref(until) as usize);
    // SAFETY: the caller's word; the deadline outlives the call.
    // mutant: wake-up-not-lost-request
    let raw = unsafe { with_flag(record, &mut [nowhere(), word], until, clock as usize)? };
    if is_refusal(raw) {
        NO_WAITV.store(true, Ordering::Relaxed);
        // SAFETY: the caller's word.
        return unsafe { with_signal_open(record, args, bits, deadline) };
    }
    Ok(raw.min(0))
}

/// The plain wait, which the handler ends by its time-out: see
/// [`timeout`](crate::runtime::timeout).
///
/// # Safety
///
/// As futex(2) of the word in `args`.
unsafe fn with_signal_open(
    record: &Record,
    mut args: [usize; 6],
    bits: u32,
    deadline: Option<libc::timespec>,
) -> Result<isize, Stopped> {
    let flags = libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
    args[1] = (args[1] as c_int & flags | libc::FUTEX_WAIT_BITSET) as usize;
    // mutant: for-some-bits-for-these
    args[5] = bits as usize;
    let until = deadline.unwrap_or(crate::runtime::futex::timespec(Duration::MAX));
    loop {
        let (raw, struck) = inside(record, || {
            args[3] = record.timeout.arm(until) as usize;
            // mutant: signal-open-in
            let mask = signal::set_mask(libc::SIG_UNBLOCK);
            // SAFETY: the caller's word; the record outlives the call.
            let raw = unsafe { plain(libc::SYS_futex, args) };
            // mutant: blocked-afterwards
            signal::restore_mask(&mask);
            (raw, record.timeout.disarm())
        })?;
        let timed_out = raw == -(libc::ETIMEDOUT as isize);
        // mutant: wake-up-not-lost-request-4
        let nothing_woken = [AGAIN, INTERRUPTED].contains(&raw) || timed_out && struck;
        if nothing_woken && record.must_stop() {
            return Err(Stopped::new());
        }
        // A stray signal or a request that is held is none of the caller's.
        // Somebody else's ends the plain wait too, if that has a time-out.
        let goes_on = match raw {
            // mutant: stray-signal-does-not-end
            INTERRUPTED => struck || deadline.is_none(),
            // mutant: nor-what-handler-struck-time
            _ => timed_out && (struck || deadline.is_none()),
        };
        if !goes_on {
            return Ok(raw);
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
        // No room for the flag.
        return Ok(UNSUPPORTED);
    }
    let mut all = Vec::with_capacity(count + 1);
    all.push(nowhere());
    // SAFETY: the caller's words.
    all.extend(unsafe { each_given::<futex_waitv>(words, count) });
    // SAFETY: the caller's words and deadline.
    unsafe { with_flag(record, &mut all, deadline, clock) }
}

/// An entry to be filled in.
fn nowhere() -> futex_waitv {
    // SAFETY: integers.
    unsafe { core::mem::zeroed() }
}

/// Waits for the words and, in the entry before them, the flag; the index of
/// the word, or the error.
///
/// The flag comes first: of several that were woken the kernel names the last,
/// and a wake-up of the caller's word must not be lost to the request.
///
/// # Safety
///
/// As `futex_waitv(2)` of the words after the first.
unsafe fn with_flag(
    record: &Record,
    all: &mut [futex_waitv],
    deadline: usize,
    clock: usize,
) -> Result<isize, Stopped> {
    loop {
        let flag = record.line.flag.load(Ordering::SeqCst);
        // mutant: wake-up-not-lost-request-comes
        all[0].val = u64::from(flag);
        // mutant: futex-wait-looks-at-flag
        all[0].uaddr = record.line.flag.as_ptr() as u64;
        // mutant: wake-up-not-lost-request-comes-with
        all[0].flags = SIZE_U32 | PRIVATE;
        let call = [all.as_ptr() as usize, all.len(), 0, deadline, clock, 0];
        // SAFETY: the flag is this thread's own; the caller answers for the rest.
        let raw = inside(record, || unsafe { plain(libc::SYS_futex_waitv, call) })?;
        // mutant: wake-up-not-lost-request-2
        let nothing_woken = [0, AGAIN, INTERRUPTED].contains(&raw);
        if nothing_woken && record.must_stop() {
            return Err(Stopped::new());
        }
        // A request that is held by a shield is none of the caller's either.
        // mutant: wake-up-not-lost-request-3
        let flag_alone =
            raw == 0 || raw == AGAIN && record.line.flag.load(Ordering::SeqCst) != flag;
        // mutant: request-shield-holds-wakes-nobody
        if !flag_alone {
            // mutant: index-callers-word
            return Ok(if raw > 0 { raw - 1 } else { raw });
        }
    }
}

/// `FUTEX_LOCK_PI`: the lock if it is free. Its waiters queue in the kernel,
/// where no other word is waited for with it.
///
/// # Safety
///
/// As the call.
unsafe fn lock(mut args: [usize; 6]) -> isize {
    args[1] = args[1] & PRIVATE as usize | libc::FUTEX_TRYLOCK_PI as usize;
    args[3] = 0;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(libc::SYS_futex, args) };
    if raw == AGAIN { UNSUPPORTED } else { raw }
}
