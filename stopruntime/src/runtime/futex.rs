//! The two futex operations that the stop protocol itself waits with; they
//! are not stop-checked. futex(2), `FUTEX_WAIT_PRIVATE`, `FUTEX_WAKE_PRIVATE`.
//!
//! # Safety
//!
//! Both take a reference, so the word is valid for as long as the kernel looks
//! at it.

#![allow(unsafe_code)]

use core::sync::atomic::AtomicU32;
use std::time::Duration;

/// How often a lock looks again before it sleeps: a short hold on another core
/// is over before a system call is.
pub(crate) const SPINS: u32 = 100;

/// Waits while the word is `expected`, at most `timeout`. May return early.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    let pointer = timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: the word and the time-out outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            pointer,
        );
    }
}

/// Waits while the word is `expected`, at most until the clock of deadlines
/// (`CLOCK_MONOTONIC`) has this reading in nanoseconds. May return early.
pub(crate) fn futex_wait_until(word: &AtomicU32, expected: u32, reading: u64) {
    let until = timespec(Duration::from_nanos(reading));
    // SAFETY: the word and the time outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            expected,
            &raw const until,
            0,
            libc::FUTEX_BITSET_MATCH_ANY,
        );
    }
}

/// Wakes all waiters. Async-signal-safe.
pub(crate) fn futex_wake(word: &AtomicU32) {
    wake(word, libc::c_int::MAX);
}

/// Wakes one waiter; whether there was one.
pub(crate) fn futex_wake_one(word: &AtomicU32) -> bool {
    wake(word, 1) > 0
}

/// How many were woken.
fn wake(word: &AtomicU32, count: libc::c_int) -> libc::c_long {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word outlives the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, count) }
}

/// As a `timespec`, the longest one for what does not fit.
#[allow(deprecated, reason = "the alias is to change on musl: whatever it is, it is meant")]
pub(crate) fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(duration.subsec_nanos() as i32),
    }
}
