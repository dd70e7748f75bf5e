//! The wait for descriptors: `ppoll` with the stop signal unblocked, and the calls
//! that are nothing else.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::inside::inside;
use super::mask;
use crate::kernel::given::{each_given, given};
use crate::kernel::plain::{INTERRUPTED, plain};
use crate::kernel::select::One;
use crate::runtime::record::Record;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use crate::scope::Stopped;
use core::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// There are more descriptors than the process may open, or the time-out is not valid.
const REFUSED: isize = -(libc::EINVAL as isize);

/// poll(2): time-out in milliseconds, negative for none.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn poll(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let milliseconds = args[2] as c_int;
    let timeout = u64::try_from(milliseconds).ok().map(Duration::from_millis);
    let timeout = timeout.map(crate::runtime::futex::timespec);
    // SAFETY: the caller's descriptors.
    unsafe { wait_open(record, args[0] as *mut _, args[1], timeout, &mask::open_mask()) }
}

/// ppoll(2): with the caller's mask, less the stop signal.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn ppoll(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    if args[3] != 0 && args[4] != KERNEL_MASK_SIZE {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(libc::SYS_ppoll, args) });
    }
    // SAFETY: the caller's mask.
    let mask = unsafe { mask::opened(args[3], args[4]) };
    // SAFETY: the caller's time-out, if it gave one.
    let timeout = unsafe { given(args[2]) };
    // SAFETY: the caller's descriptors.
    unsafe { wait_open(record, args[0] as *mut _, args[1], timeout, &mask) }
}

/// Waits for the descriptors: the raw result of ppoll(2).
///
/// # Safety
///
/// As ppoll(2) for `descriptors` and `count`.
pub(super) unsafe fn wait_open(
    record: &Record,
    descriptors: *mut libc::pollfd,
    count: usize,
    timeout: Option<libc::timespec>,
    mask: &libc::sigset_t,
) -> Result<isize, Stopped> {
    const AT_ONCE: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let later = timeout.filter(|time| (time.tv_sec, time.tv_nsec) != (0, 0));
    // mutant: refused-entries-not-read
    if later.is_some() && count > 0 {
        // What the kernel refuses is not looked at here.
        // SAFETY: the caller answers for the descriptors.
        let raw = unsafe { call(record, descriptors, count, Some(AT_ONCE), mask)? };
        if raw != 0 {
            return Ok(raw);
        }
    }
    // mutant: sigstop-moves-no-deadline
    if let Some(timer) = later.and_then(alarm) {
        // SAFETY: as above; the kernel has just written to that many.
        let raw = unsafe { wait_or_alarm(record, descriptors, count, &timer, mask)? };
        // With the timer they may be one more than poll takes.
        if raw != REFUSED {
            return Ok(raw);
        }
    }
    // SAFETY: as above.
    unsafe { call(record, descriptors, count, timeout, mask) }
}

/// As [`wait_open`] for one descriptor of the runtime's own choice: also where
/// the process may not open as many as one.
pub(super) fn wait_one(
    record: &Record,
    entry: &mut libc::pollfd,
    timeout: Option<libc::timespec>,
    mask: &libc::sigset_t,
) -> Result<isize, Stopped> {
    // SAFETY: one entry.
    let raw = unsafe { wait_open(record, entry, 1, timeout, mask)? };
    // mutant: ppoll-where-poll-refuses-select
    if raw != REFUSED {
        return Ok(raw);
    }
    let mut one = One::new(*entry);
    let mut left = timeout;
    let timeout = left.as_mut().map_or(0, |left| core::ptr::from_mut(left) as usize);
    let sized = [core::ptr::from_ref(mask) as usize, KERNEL_MASK_SIZE];
    let args = one.args(timeout, &raw const sized as usize);
    // SAFETY: the sets, the time-out and the mask outlive the call.
    let raw = inside(record, || unsafe { plain(libc::SYS_pselect6, args) })?;
    if raw == INTERRUPTED {
        record.check()?;
    }
    Ok(one.seen(raw, entry))
}

/// Waits for the one descriptor, whatever signals come: 1, or the negated errno
/// of a wait that cannot be made.
pub(super) fn wait_until_ready(
    record: &Record,
    entry: &mut libc::pollfd,
) -> Result<isize, Stopped> {
    let mask = mask::open_mask();
    loop {
        let raw = wait_one(record, entry, None, &mask)?;
        if raw != INTERRUPTED {
            return Ok(raw);
        }
    }
}

/// A time-out of `ppoll` itself stands still while the process is stopped
/// (SIGSTOP): the kernel goes on with the time that was left. A timer does not.
/// `timerfd_create(2)`.
fn alarm(timeout: libc::timespec) -> Option<OwnedFd> {
    let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let once = libc::itimerspec { it_interval: zero, it_value: timeout };
    // SAFETY: numbers; a descriptor made just now; a time that outlives the call.
    unsafe {
        let raw = libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC);
        let timer = (raw >= 0).then(|| OwnedFd::from_raw_fd(raw))?;
        let set = libc::timerfd_settime(raw, 0, &raw const once, core::ptr::null_mut());
        (set == 0).then_some(timer)
    }
}

/// Waits for the descriptors and the timer, which the caller has not asked for.
///
/// # Safety
///
/// As [`wait_open`].
unsafe fn wait_or_alarm(
    record: &Record,
    descriptors: *mut libc::pollfd,
    count: usize,
    timer: &OwnedFd,
    mask: &libc::sigset_t,
) -> Result<isize, Stopped> {
    // SAFETY: the caller's entries.
    let mut all = unsafe { each_given(descriptors as usize, count) }.collect::<Vec<_>>();
    all.push(libc::pollfd { fd: timer.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    // SAFETY: entries of our own, which outlive the call.
    let raw = unsafe { call(record, all.as_mut_ptr(), all.len(), None, mask)? };
    if raw < 0 {
        return Ok(raw);
    }
    let mut ready = 0;
    for (at, seen) in all[..count].iter().enumerate() {
        // SAFETY: one of the caller's entries.
        unsafe { (&raw mut (*descriptors.add(at)).revents).write_unaligned(seen.revents) };
        ready += isize::from(seen.revents != 0);
    }
    Ok(ready)
}

/// # Safety
///
/// As [`wait_open`].
unsafe fn call(
    record: &Record,
    descriptors: *mut libc::pollfd,
    count: usize,
    timeout: Option<libc::timespec>,
    mask: &libc::sigset_t,
) -> Result<isize, Stopped> {
    let mut left = timeout;
    let timeout = left.as_mut().map_or(core::ptr::null_mut(), core::ptr::from_mut);
    let args = [
        descriptors as usize,
        count,
        timeout as usize,
        core::ptr::from_ref(mask) as usize,
        KERNEL_MASK_SIZE,
        0,
    ];
    // SAFETY: the caller answers for the descriptors; the rest outlives the call.
    let raw = inside(record, || unsafe { plain(libc::SYS_ppoll, args) })?;
    // The kernel restores the mask before it reports the interruption, and the
    // handler has run by then.
    // mutant: interrupted-wait-reports-stop
    if raw == INTERRUPTED {
        record.check()?;
    }
    Ok(raw)
}
