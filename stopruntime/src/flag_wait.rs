//! What a thread waits for on its own flag: a time, or futex words beside the flag.
//! [`on_flag`](crate::runtime::on_flag) has the protocol.
//!
//! # Safety
//!
//! The invariant of this module: the kernel is given the flag of the calling thread
//! and places that outlive the call; for other words the caller answers.

#![allow(unsafe_code)]

use crate::kernel::abi::LongTime;
use crate::kernel::clock::now;
use crate::kernel::plain::{INTERRUPTED, plain};
use crate::kernel::refusal::is_refusal;
use crate::runtime::futex::timespec;
use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::runtime::scopes::look::Look;
use crate::scope::Stopped;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use libc::futex_waitv;
use std::time::{Duration, Instant};

const PRIVATE: u32 = libc::FUTEX_PRIVATE_FLAG as u32;
const SIZE_U32: u32 = 2;

const AGAIN: isize = -(libc::EAGAIN as isize);
const TIMED_OUT: isize = -(libc::ETIMEDOUT as isize);

/// What one system call came to that waited on the flag.
struct Waited {
    /// Its result. None if it was not made: the flag was up.
    result: Option<isize>,
    /// The flag is not as the call had it: it may have ended, or not waited, for that.
    flag_has_changed: bool,
    look: Option<Look>,
}

impl Waited {
    /// The call gets a value of the flag, and sleeps at most for as long as it has that.
    fn wait(record: &Record, call: impl FnOnce(u32) -> isize) -> Waited {
        let flag = &record.line.flag;
        let (seen, result) = record.on_flag.wait(flag, call);
        let now = flag.load(Ordering::SeqCst);
        let look = (now & LOOK != 0).then(|| {
            // Without a barrier requesters signal whichever thread they find.
            record.settle();
            record.evaluate()
        });
        Waited { result, flag_has_changed: now != seen, look }
    }

    /// Stops the wait, which had no effect, if it is to be stopped.
    fn or_stop(self) -> Result<(), Stopped> {
        if self.look.is_some_and(Look::take) { Err(Stopped::returned()) } else { Ok(()) }
    }
}

/// `futex_waitv(2)` has been refused. It is not asked for again.
static NO_WAITV: AtomicBool = AtomicBool::new(false);

/// Whether the marked waits of this thread may be waits on its flag. In a region of
/// foreign code they are windows, because there the signal has more to do; and what stands
/// in for a record is woken by no thread.
pub(crate) fn serves(record: &Record) -> bool {
    !record.stands_in() && !record.region.is_open()
}

/// Whether the kernel waits for the flag and other words together, as far as is known:
/// Linux 5.16.
pub(crate) fn takes_words() -> bool {
    !NO_WAITV.load(Ordering::Relaxed)
}

/// Whether this result of [`with_words`] says that it does not.
pub(crate) fn is_refused(raw: isize) -> bool {
    let refused = is_refusal(raw);
    if refused {
        NO_WAITV.store(true, Ordering::Relaxed);
    }
    refused
}

/// Sleeps until this time on the monotonic clock. False if the kernel refuses the
/// wait.
pub(crate) fn sleep_until(record: &Record, time: Duration) -> Result<bool, Stopped> {
    let until = timespec(time);
    let flag = record.line.flag.as_ptr() as usize;
    let operation = (libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG) as usize;
    let any = libc::FUTEX_BITSET_MATCH_ANY as u32 as usize;
    loop {
        let waited = Waited::wait(record, |seen| {
            let wait = [flag, operation, seen as usize, &raw const until as usize, 0, any];
            // SAFETY: the thread's own flag; the time outlives the call.
            unsafe { plain(libc::SYS_futex, wait) }
        });
        match waited.result {
            Some(TIMED_OUT) => return Ok(true),
            // The flag has changed, or a signal has come: it goes on unless it is stopped.
            // mutant: sleep-on-flag-goes-on
            None | Some(0 | AGAIN | INTERRUPTED) => waited.or_stop()?,
            Some(_) => return Ok(false),
        }
    }
}

/// Waits while the word has this value, at most until the deadline. False if the kernel
/// refuses the wait. A signal does not end it.
pub(crate) fn wait_while(
    record: &Record,
    word: &AtomicU32,
    value: u32,
    deadline: Option<Instant>,
) -> Result<bool, Stopped> {
    // mutant: wait-on-flag-waits-for-words
    if !takes_words() {
        return Ok(false);
    }
    let until = deadline.map(|deadline| {
        let left = deadline.saturating_duration_since(Instant::now());
        LongTime::of(timespec(now(libc::CLOCK_MONOTONIC).saturating_add(left)))
    });
    let until = until.as_ref().map_or(0, |until| core::ptr::from_ref(until) as usize);
    let mut entry = nowhere();
    entry.uaddr = word.as_ptr() as u64;
    entry.val = u64::from(value);
    entry.flags = SIZE_U32 | PRIVATE;
    loop {
        // mutant: wake-up-kept-of-a-word
        let mut words = [nowhere(), entry];
        let clock = libc::CLOCK_MONOTONIC as usize;
        // SAFETY: the word and the time outlive the call.
        let raw = unsafe { with_words(record, &mut words, until, clock)? };
        // As in std.
        // mutant: foreign-signal-does-not-end-wait-on-flag
        if raw != INTERRUPTED {
            return Ok(!is_refused(raw));
        }
    }
}

/// An entry to be filled in.
pub(crate) fn nowhere() -> futex_waitv {
    // SAFETY: integers.
    unsafe { core::mem::zeroed() }
}

/// Waits for the words and, in the entry before them, the flag: the index of the
/// word, or the error.
///
/// The flag comes first: of several that were woken the kernel names the last,
/// and a wake-up of the caller's word must not be lost to the request.
///
/// # Safety
///
/// As `futex_waitv(2)` of the words after the first.
pub(crate) unsafe fn with_words(
    record: &Record,
    all: &mut [futex_waitv],
    deadline: usize,
    clock: usize,
) -> Result<isize, Stopped> {
    loop {
        let waited = Waited::wait(record, |seen| {
            // mutant: wake-up-kept-when-asleep
            all[0].val = u64::from(seen);
            // mutant: futex-wait-looks-at-flag
            all[0].uaddr = record.line.flag.as_ptr() as u64;
            // mutant: wake-up-kept-on-entry
            all[0].flags = SIZE_U32 | PRIVATE;
            let call = [all.as_ptr() as usize, all.len(), 0, deadline, clock, 0];
            // SAFETY: the flag is this thread's own; the caller answers for the rest.
            unsafe { plain(libc::SYS_futex_waitv, call) }
        });
        // As if the flag alone had changed.
        let raw = waited.result.unwrap_or(0);
        // The caller does not see a request that a shield holds either.
        // mutant: wake-up-kept-3
        let flag_alone = raw == 0 || raw == AGAIN && waited.flag_has_changed;
        // mutant: wake-up-kept-2
        let nothing_woken = [0, AGAIN, INTERRUPTED].contains(&raw);
        if nothing_woken {
            waited.or_stop()?;
        }
        // mutant: shielded-request-wakes-no-thread
        if !flag_alone {
            // mutant: futex-index-of-callers-word
            return Ok(if raw > 0 { raw - 1 } else { raw });
        }
    }
}
