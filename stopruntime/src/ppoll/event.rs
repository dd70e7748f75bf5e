//! Calls that only wait: connections, readiness, time, children.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::mask;
use super::{INTERRUPTED, UNSUPPORTED, is_nonblocking, plain, wait_one, wait_open};
use crate::kernel::given::{given, is_time};
use crate::kernel::refusal::is_refusal;
use crate::runtime::record::Record;
use crate::runtime::signal::KERNEL_MASK_SIZE;
use crate::scope::Stopped;
use core::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

const GONE: isize = -(libc::ESRCH as isize);

/// connect(2): started without waiting, then waited for, then its outcome
/// fetched (`SO_ERROR`). A stop leaves the attempt in progress, as `EINTR`
/// leaves a plain one: the socket is good for closing only.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn connect(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let descriptor = args[0] as c_int;
    if is_nonblocking(descriptor) {
        // SAFETY: the caller's call; it does not wait.
        return Ok(unsafe { plain(libc::SYS_connect, args) });
    }
    // mutant: connect-does-not-wait
    set_nonblocking(descriptor, true);
    // SAFETY: the caller's call.
    let raw = unsafe { plain(libc::SYS_connect, args) };
    let outcome = if raw == -(libc::EINPROGRESS as isize) {
        connected(record, descriptor)
    } else if raw == -(libc::EAGAIN as isize) {
        // A Unix listener whose queue is full cannot be polled for room.
        Ok(UNSUPPORTED)
    } else {
        Ok(raw)
    };
    // mutant: socket-waits-again-afterwards
    set_nonblocking(descriptor, false);
    outcome
}

fn connected(record: &Record, descriptor: c_int) -> Result<isize, Stopped> {
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    let raw = wait_until_ready(record, &mut entry)?;
    if raw < 0 {
        return Ok(raw);
    }
    let mut error: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: a buffer of the option's type and its length.
    unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_SOCKET,
            libc::SO_ERROR,
            (&raw mut error).cast(),
            &raw mut length,
        );
    }
    Ok(-(error as isize))
}

/// Waits for the one descriptor, whatever signals come: 1, or the negated errno
/// of a wait that cannot be made.
fn wait_until_ready(record: &Record, entry: &mut libc::pollfd) -> Result<isize, Stopped> {
    let mask = mask::open_mask();
    loop {
        let raw = wait_one(record, entry, None, &mask)?;
        if raw != INTERRUPTED {
            return Ok(raw);
        }
    }
}

fn set_nonblocking(descriptor: c_int, on: bool) {
    // SAFETY: operations on a number.
    unsafe {
        let flags = libc::fcntl(descriptor, libc::F_GETFL);
        let flags = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        libc::fcntl(descriptor, libc::F_SETFL, flags);
    }
}

/// poll(2): time-out in milliseconds, negative for none.
///
/// # Safety
///
/// As the call.
#[cfg(target_arch = "x86_64")]
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

/// `clock_nanosleep(2)` as `ppoll` without descriptors.
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
    // A relative time is none of the wall clock's.
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

/// The time left until a deadline on the clock.
pub(super) fn left(clock: libc::clockid_t, deadline: libc::timespec) -> Duration {
    duration(deadline).saturating_sub(now(clock))
}

/// Reads the clock in the kernel, which is where the waits look at it: a library
/// that is loaded before libc may give libc's `clock_gettime` another time.
pub(crate) fn now(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place, of the layout that this number takes (abi.rs).
    let _ = unsafe {
        plain(libc::SYS_clock_gettime, [clock as usize, &raw mut now as usize, 0, 0, 0, 0])
    };
    duration(now)
}

pub(crate) fn duration(time: libc::timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

/// waitid(2) for the end of one child.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn child(record: &Record, mut args: [usize; 6]) -> Result<isize, Stopped> {
    let (kind, id, options) = (args[0] as libc::idtype_t, args[1] as c_int, args[3] as c_int);
    args[3] |= libc::WNOHANG as usize;
    if options & libc::WNOHANG != 0 {
        // SAFETY: the caller's call; it does not wait.
        return Ok(unsafe { plain(libc::SYS_waitid, args) });
    }
    let stops = options & (libc::WSTOPPED | libc::WCONTINUED) != 0;
    if stops || !matches!(kind, libc::P_PIDFD | libc::P_PID) {
        // SAFETY: zeroed is a valid siginfo.
        let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
        let place = core::mem::replace(&mut args[2], &raw mut info as usize);
        // SAFETY: the caller's call, made not to wait, with a place of our own.
        let raw = unsafe { plain(libc::SYS_waitid, args) };
        // SAFETY: waitid has filled it in, or it is zeroed: nobody to report.
        if raw == 0 && unsafe { info.si_pid() } == 0 {
            return Ok(UNSUPPORTED);
        }
        if raw == 0 && place != 0 {
            // SAFETY: the caller's place.
            unsafe { (place as *mut libc::siginfo_t).write_unaligned(info) };
        }
        return Ok(raw);
    }
    // Who is no child of ours is not waited for.
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let mut look = args;
    look[2] = &raw mut info as usize;
    // mutant: wait-for-child-leaves-reaped
    look[3] |= libc::WNOWAIT as usize;
    // SAFETY: the caller's call, made not to wait nor to reap.
    let raw = unsafe { plain(libc::SYS_waitid, look) };
    // mutant: who-no-child-not-waited
    if raw < 0 {
        return Ok(raw);
    }
    // SAFETY: filled in, or zeroed: nobody has ended.
    // mutant: but-one-ended
    if unsafe { info.si_pid() } != 0 {
        // SAFETY: the caller's call, made not to wait.
        return Ok(unsafe { plain(libc::SYS_waitid, args) });
    }
    let owned;
    let pidfd = match kind {
        libc::P_PIDFD => id,
        libc::P_PID => {
            // SAFETY: two integers.
            let raw = unsafe { plain(libc::SYS_pidfd_open, [id as usize, 0, 0, 0, 0, 0]) };
            if raw < 0 {
                return Ok(match raw {
                    GONE => -(libc::ECHILD as isize),
                    // mutant: without-pidfds-child-runs-not
                    raw if is_refusal(raw) => UNSUPPORTED,
                    raw => raw,
                });
            }
            // SAFETY: a descriptor made just now, nobody else's.
            owned = unsafe { OwnedFd::from_raw_fd(raw as c_int) };
            owned.as_raw_fd()
        }
        _ => return Ok(UNSUPPORTED),
    };
    let mut entry = libc::pollfd { fd: pidfd, events: libc::POLLIN, revents: 0 };
    let raw = wait_until_ready(record, &mut entry)?;
    if raw < 0 {
        return Ok(raw);
    }
    // SAFETY: the caller's call, made not to wait.
    Ok(unsafe { plain(libc::SYS_waitid, args) })
}

/// wait4(2) for the end of one child, by waitid's pidfd; for any child, what
/// there is already.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn any_child(record: &Record, mut args: [usize; 6]) -> Result<isize, Stopped> {
    let asked = args[2] as c_int;
    args[2] |= libc::WNOHANG as usize;
    // SAFETY: the caller's call, made not to wait.
    let attempt = || unsafe { plain(libc::SYS_wait4, args) };
    let raw = attempt();
    if raw != 0 || asked & libc::WNOHANG != 0 {
        return Ok(raw);
    }
    let child = args[0] as c_int;
    if child <= 0 || asked & (libc::WUNTRACED | libc::WCONTINUED) != 0 {
        return Ok(UNSUPPORTED);
    }
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let options = (libc::WEXITED | libc::WNOWAIT) as usize;
    let wait = [libc::P_PID as usize, child as usize, &raw mut info as usize, options, 0, 0];
    // SAFETY: the place for the siginfo outlives the call.
    let raw = unsafe { self::child(record, wait)? };
    Ok(if raw < 0 { raw } else { attempt() })
}
