//! Sleeping, and the clocks.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::mask;
use super::wait::wait_open;
use crate::kernel::clock::{duration, now};
use crate::kernel::given::{given, is_time};
use crate::kernel::plain::{INTERRUPTED, plain};
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_int;

/// `clock_nanosleep(2)` as `ppoll` of a timer alone.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn sleep(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let clock = args[0] as libc::clockid_t;
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let passed = &raw const at_once as usize;
    let look = [args[0], libc::TIMER_ABSTIME as usize, passed, 0, 0, 0];
    // SAFETY: a time of our own that has passed: not waited for, but a clock that
    // nothing sleeps by is refused.
    let raw = unsafe { plain(libc::SYS_clock_nanosleep, look) };
    let refused = [libc::EINVAL, libc::EOPNOTSUPP].iter().any(|errno| raw == -(*errno as isize));
    // SAFETY: the caller's request.
    let request = unsafe { given::<libc::timespec>(args[2]) }.filter(|request| is_time(*request));
    let Some(request) = request.filter(|_| !refused) else {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(libc::SYS_clock_nanosleep, args) });
    };
    let request = duration(request);
    let absolute = args[1] as c_int & libc::TIMER_ABSTIME != 0;
    // A relative time does not depend on the wall clock.
    let clock =
        if absolute || clock != libc::CLOCK_REALTIME { clock } else { libc::CLOCK_MONOTONIC };
    let deadline = if absolute { request } else { now(clock) + request };
    let mask = mask::open_mask();
    loop {
        let left = deadline.saturating_sub(now(clock));
        if left.is_zero() {
            return Ok(0);
        }
        let timeout = Some(crate::runtime::futex::timespec(left));
        // SAFETY: no descriptors.
        let raw = unsafe { wait_open(record, core::ptr::null_mut(), 0, timeout, &mask)? };
        if raw == INTERRUPTED && !absolute {
            let rest = args[3] as *mut libc::timespec;
            if !rest.is_null() {
                let left = deadline.saturating_sub(now(clock));
                // SAFETY: the caller's place for the time left.
                unsafe { rest.write_unaligned(crate::runtime::futex::timespec(left)) };
            }
            return Ok(raw);
        }
    }
}
