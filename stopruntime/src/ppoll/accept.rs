//! accept(2), which is told nothing through memory: a look at readiness, then the
//! call.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::look::{is_nonblocking, is_ready};
use super::mask;
use super::turn::Turn;
use super::wait::wait_one;
use crate::kernel::plain::{INTERRUPTED, plain};
use crate::runtime::futex::timespec;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long};
use std::time::{Duration, Instant};

const AGAIN: isize = -(libc::EAGAIN as isize);
/// No descriptor is free, in this process or in the system.
const FULL: [isize; 2] = [-(libc::EMFILE as isize), -(libc::ENFILE as isize)];

/// Looks whether the listener is ready and makes the call in a turn, so that no
/// other stop-checked caller takes what the look has seen.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn accept(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    let descriptor = args[0] as c_int;
    if is_nonblocking(descriptor) {
        // SAFETY: the caller's call; it does not wait.
        return Ok(unsafe { plain(number, args) });
    }
    let deadline = timeout_of(descriptor).map(|timeout| Instant::now() + timeout);
    let mask = mask::open_mask();
    let mut has_room = false;
    loop {
        if let Some(_turn) = Turn::take(descriptor) {
            // mutant: accept-made-only-when-there
            if is_ready(descriptor, libc::POLLIN) {
                // SAFETY: the caller's call.
                let raw = unsafe { plain(number, args) };
                if raw != AGAIN {
                    return Ok(raw);
                }
            }
        } else {
            // The other takes what is there; then the wait is a real one.
            std::thread::yield_now();
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(AGAIN);
        }
        if !has_room {
            let raw = take_none(descriptor);
            // mutant: accept-takes-its-descriptor-first
            if FULL.contains(&raw) {
                return Ok(raw);
            }
            has_room = true;
        }
        let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        let raw = wait_one(record, &mut entry, left.map(timespec), &mask)?;
        if raw < 0 && raw != INTERRUPTED {
            return Ok(raw);
        }
    }
}

/// Fails as accept(2), which takes the new descriptor before it waits, if there is none: to
/// open a path below a socket does the same, and opens nothing.
fn take_none(socket: c_int) -> isize {
    let args = [socket as usize, c".".as_ptr() as usize, libc::O_CLOEXEC as usize, 0, 0, 0];
    // SAFETY: a path, and no mode for these flags.
    unsafe { plain(libc::SYS_openat, args) }
}

/// `SO_RCVTIMEO`. socket(7).
fn timeout_of(descriptor: c_int) -> Option<Duration> {
    let mut value = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut length = size_of::<libc::timeval>() as libc::socklen_t;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_RCVTIMEO);
    let place = (&raw mut value).cast();
    // SAFETY: a place of the option's type and its length.
    let known = unsafe { libc::getsockopt(descriptor, level, option, place, &raw mut length) } == 0;
    let timeout = Duration::from_secs(u64::try_from(value.tv_sec).unwrap_or(0))
        + Duration::from_micros(u64::try_from(value.tv_usec).unwrap_or(0));
    (known && !timeout.is_zero()).then_some(timeout)
}
