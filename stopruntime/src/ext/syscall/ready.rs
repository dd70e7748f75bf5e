//! Waiting for a descriptor.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::{Raw, call, errno};
use crate::ext::Outcome;
use crate::kernel::select::One;
use crate::ppoll;
use crate::runtime::futex::timespec;
use crate::scope::Stopped;
use std::io;
use std::os::fd::RawFd;
use std::time::Instant;

const INTERRUPTED: isize = -(libc::EINTR as isize);
/// More descriptors than the process may open.
const REFUSED: isize = -(libc::EINVAL as isize);

/// Waits until one descriptor is ready or in error (true) or the deadline has
/// passed (false).
pub(super) fn poll(descriptor: RawFd, events: i16, deadline: Option<Instant>) -> Outcome<bool> {
    loop {
        let mut entry = libc::pollfd { fd: descriptor, events, revents: 0 };
        let raw = poll_once(&mut entry, deadline).or_stop()?;
        // mutant: where-poll-refuses-select
        let raw = if raw == REFUSED { select_once(&mut entry, deadline)? } else { raw };
        if raw < 0 && raw != INTERRUPTED {
            return Ok(Err(io::Error::from_raw_os_error(errno(raw))));
        }
        // mutant: interrupted-readiness-waits-again
        let ready = raw > 0;
        // Also by a signal, and where less than the time left was waited for.
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if ready || over {
            return Ok(Ok(ready));
        }
    }
}

/// As [`poll_once`], where poll refuses even one descriptor (`RLIMIT_NOFILE`).
#[cold]
fn select_once(entry: &mut libc::pollfd, deadline: Option<Instant>) -> Result<isize, Stopped> {
    let mut one = One::new(*entry);
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let mut left = left.map(timespec);
    let timeout = left.as_mut().map_or(0, |left| core::ptr::from_mut(left) as usize);
    // SAFETY: the sets and the time-out outlive the call.
    let raw = unsafe { call(libc::SYS_pselect6, one.args(timeout, 0)) }.or_stop()?;
    Ok(one.seen(raw, entry))
}

/// One ppoll(2), or with a deadline poll(2): the time-out of ppoll stands still
/// while the process is stopped (SIGSTOP). In whole milliseconds, rounded up.
#[cfg(target_arch = "x86_64")]
fn poll_once(entry: &mut libc::pollfd, deadline: Option<Instant>) -> Raw {
    let entry = core::ptr::from_mut(entry) as usize;
    let Some(deadline) = deadline else {
        // SAFETY: one entry, which outlives the call.
        return unsafe { call(libc::SYS_ppoll, [entry, 1, 0, 0, 0]) };
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let milliseconds =
        left.as_nanos().div_ceil(1_000_000).min(core::ffi::c_int::MAX.unsigned_abs().into());
    // SAFETY: as above.
    unsafe { call(libc::SYS_poll, [entry, 1, milliseconds as usize]) }
}

/// One ppoll(2).
#[cfg(not(target_arch = "x86_64"))]
fn poll_once(entry: &mut libc::pollfd, deadline: Option<Instant>) -> Raw {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let mut left = left.map(timespec);
    let timeout = left.as_mut().map_or(0, |left| core::ptr::from_mut(left) as usize);
    let args = [core::ptr::from_mut(entry) as usize, 1, timeout, 0, 0];
    // SAFETY: one entry and the time-out outlive the call.
    unsafe { call(libc::SYS_ppoll, args) }
}

/// Waits for any other descriptor to be readable, unless it is non-blocking.
pub(in crate::ext) fn read_ready(descriptor: RawFd) -> Outcome<()> {
    if ppoll::is_nonblocking(descriptor) {
        return crate::scope::check().map(Ok);
    }
    wait_readable(descriptor)
}

/// Waits for a descriptor to have room; one that is non-blocking says whether
/// it has.
pub(in crate::ext) fn write_ready(descriptor: RawFd) -> Outcome<()> {
    if !ppoll::is_nonblocking(descriptor) {
        return wait_writable(descriptor);
    }
    crate::scope::check()?;
    let ready = ppoll::is_ready(descriptor, libc::POLLOUT);
    Ok(if ready { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) })
}

/// Waits until a read would not wait; what is wrong with the descriptor is left
/// for the read to report.
pub(crate) fn wait_readable(descriptor: RawFd) -> Outcome<()> {
    Ok(poll(descriptor, libc::POLLIN, None)?.map(drop))
}

/// Waits until a write would not wait, likewise.
pub(crate) fn wait_writable(descriptor: RawFd) -> Outcome<()> {
    Ok(poll(descriptor, libc::POLLOUT, None)?.map(drop))
}
