//! Waiting for descriptors. A mask that the caller gives is taken without the
//! stop signal, which would not reach the thread otherwise.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{address, by_hand, calls, outcome};
use crate::call::{Raw, call};
use crate::kernel::abi::LongTime;
use crate::kernel::given::given;
use crate::ppoll::mask;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long};
use libc::{epoll_event, fd_set, nfds_t, pollfd, sigset_t, timespec, timeval};

calls! {
    /// `epoll_wait(2)`.
    "epoll_wait" epoll_wait_or_stop(epoll: c_int, events: *mut epoll_event, count: c_int, timeout: c_int) -> c_int
        = SYS_epoll_pwait(epoll, events, count, timeout, 0, KERNEL_MASK_SIZE), ppoll: Epoll;
}

by_hand! {
    "poll" = SYS_ppoll, ppoll: Ppoll;
    "ppoll" = SYS_ppoll, ppoll: Ppoll;
    "select" = SYS_pselect6, ppoll: Select;
    "pselect" = SYS_pselect6, ppoll: Select;
    "epoll_pwait" = SYS_epoll_pwait, ppoll: Epoll;
    "epoll_pwait2" = SYS_epoll_pwait2, ppoll: Epoll;
}

/// The caller's mask, if it gave one, with the stop signal open.
unsafe fn opened(mask: *const sigset_t) -> Option<sigset_t> {
    // SAFETY: null or the caller's.
    // mutant: callers-mask-with-windows
    unsafe { given(mask as usize) }.map(mask::without)
}

/// Calls `libc::poll`, stop-checked. poll(2); the time-out in milliseconds.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
///
/// # Examples
///
/// ```
/// use stopruntime::sys::poll_or_stop;
/// use stopruntime::Stopper;
///
/// let mut standard_input = libc::pollfd { fd: 0, events: libc::POLLIN, revents: 0 };
/// Stopper::current().request_stop();
/// // SAFETY: one entry.
/// assert!(unsafe { poll_or_stop(&raw mut standard_input, 1, -1) }.is_err());
/// ```
#[doc(alias = "poll")]
#[inline]
pub unsafe fn poll_or_stop(
    entries: *mut pollfd,
    count: nfds_t,
    timeout: c_int,
) -> Result<c_int, Stopped> {
    // SAFETY: the caller's entries.
    outcome(unsafe { poll(entries as usize, count as usize, timeout) }).map(|ready| ready as c_int)
}

/// poll itself where there is one: unlike ppoll's, its time-out goes on
/// while the process is stopped (SIGSTOP).
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn poll(entries: usize, count: usize, timeout: c_int) -> Raw {
    // SAFETY: the caller's entries.
    unsafe { call(libc::SYS_poll, [entries, count, timeout as usize]) }
}

#[cfg(not(target_arch = "x86_64"))]
unsafe fn poll(entries: usize, count: usize, timeout: c_int) -> Raw {
    let timeout = u64::try_from(timeout).ok().map(core::time::Duration::from_millis);
    let timeout = timeout.map(crate::runtime::futex::timespec);
    // SAFETY: the caller's entries; the time-out, which the kernel counts
    // down, is our own.
    unsafe { call(libc::SYS_ppoll, [entries, count, address(timeout.as_ref()), 0, 0]) }
}

/// Calls `libc::ppoll`, stop-checked. poll(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "ppoll")]
#[inline]
pub unsafe fn ppoll_or_stop(
    entries: *mut pollfd,
    count: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Stopped> {
    // SAFETY: null or the caller's. A copy, because the kernel counts it down.
    let (timeout, mask) = unsafe { (given::<timespec>(timeout as usize), opened(mask)) };
    let args = [
        entries as usize,
        count as usize,
        address(timeout.as_ref()),
        address(mask.as_ref()),
        KERNEL_MASK_SIZE,
    ];
    // SAFETY: the caller's entries; the rest outlives the call.
    outcome(unsafe { call(libc::SYS_ppoll, args) }).map(|ready| ready as c_int)
}

/// Calls `libc::select`, stop-checked. select(2); as on Linux, the time-out is set
/// to the time left.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "select")]
pub unsafe fn select_or_stop(
    count: c_int,
    readable: *mut fd_set,
    writable: *mut fd_set,
    exceptional: *mut fd_set,
    timeout: *mut timeval,
) -> Result<c_int, Stopped> {
    // SAFETY: null or the caller's.
    let asked = unsafe { given::<timeval>(timeout as usize) };
    // More microseconds than a second has are seconds, as the plain call has it;
    // what is negative the kernel refuses.
    let is_time = |asked: &timeval| asked.tv_sec >= 0 && asked.tv_usec >= 0;
    let mut left = asked.map(|asked| {
        if is_time(&asked) {
            let seconds = asked.tv_sec.saturating_add((asked.tv_usec / 1_000_000) as _);
            timespec { tv_sec: seconds, tv_nsec: (asked.tv_usec % 1_000_000) as c_long * 1_000 }
        } else {
            timespec { tv_sec: -1, tv_nsec: 0 }
        }
    });
    // SAFETY: the caller's sets; the time-out is our own.
    let ready = unsafe { select(count, [readable, writable, exceptional], left.as_mut(), None) };
    if let Some(left) = left.filter(|_| asked.as_ref().is_some_and(is_time)) {
        let left = timeval { tv_sec: left.tv_sec, tv_usec: (left.tv_nsec / 1_000) as _ };
        // SAFETY: the caller's.
        unsafe { timeout.write_unaligned(left) };
    }
    ready
}

/// Calls `libc::pselect`, stop-checked. select(2).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "pselect")]
pub unsafe fn pselect_or_stop(
    count: c_int,
    readable: *mut fd_set,
    writable: *mut fd_set,
    exceptional: *mut fd_set,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Stopped> {
    // SAFETY: null or the caller's.
    let (mut timeout, mask) = unsafe { (given::<timespec>(timeout as usize), opened(mask)) };
    let sets = [readable, writable, exceptional];
    // SAFETY: the caller's sets; the rest is our own.
    unsafe { select(count, sets, timeout.as_mut(), mask.as_ref()) }
}

/// pselect6, whose last argument is a mask with its size.
unsafe fn select(
    count: c_int,
    [readable, writable, exceptional]: [*mut fd_set; 3],
    timeout: Option<&mut timespec>,
    mask: Option<&sigset_t>,
) -> Result<c_int, Stopped> {
    let sized = [address(mask), KERNEL_MASK_SIZE];
    let args = [
        count as usize,
        readable as usize,
        writable as usize,
        exceptional as usize,
        timeout.map_or(0, |timeout| core::ptr::from_mut(timeout) as usize),
        &raw const sized as usize,
    ];
    // SAFETY: the caller's sets; the rest outlives the call.
    outcome(unsafe { call(libc::SYS_pselect6, args) }).map(|ready| ready as c_int)
}

/// Both forms, which differ in what their time-out is.
unsafe fn wait_for_events(
    number: c_long,
    [epoll, events, count, timeout]: [usize; 4],
    mask: *const sigset_t,
) -> Result<c_int, Stopped> {
    // SAFETY: null or the caller's.
    let mask = unsafe { opened(mask) };
    let args = [epoll, events, count, timeout, address(mask.as_ref()), KERNEL_MASK_SIZE];
    // SAFETY: the caller's events and time-out; the mask outlives the call.
    outcome(unsafe { call(number, args) }).map(|ready| ready as c_int)
}

/// Calls `libc::epoll_pwait`, stop-checked. `epoll_wait(2)`.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "epoll_pwait")]
pub unsafe fn epoll_pwait_or_stop(
    epoll: c_int,
    events: *mut epoll_event,
    count: c_int,
    timeout: c_int,
    mask: *const sigset_t,
) -> Result<c_int, Stopped> {
    let args = [epoll as usize, events as usize, count as usize, timeout as usize];
    // SAFETY: the caller's events, time-out and mask.
    unsafe { wait_for_events(libc::SYS_epoll_pwait, args, mask) }
}

/// Calls `libc::epoll_pwait2`, stop-checked. `epoll_wait(2)`, Linux 5.11.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "epoll_pwait2")]
pub unsafe fn epoll_pwait2_or_stop(
    epoll: c_int,
    events: *mut epoll_event,
    count: c_int,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> Result<c_int, Stopped> {
    // SAFETY: null or the caller's.
    let timeout = unsafe { given(timeout as usize) }.map(LongTime::of);
    let args = [epoll as usize, events as usize, count as usize, address(timeout.as_ref())];
    // SAFETY: the caller's events and mask; the time-out outlives the call.
    unsafe { wait_for_events(libc::SYS_epoll_pwait2, args, mask) }
}
