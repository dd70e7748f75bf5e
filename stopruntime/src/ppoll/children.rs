//! Waiting for children: by a pidfd, which only one child has.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::wait::wait_until_ready;
use crate::kernel::plain::{UNSUPPORTED, plain};
use crate::kernel::refusal::is_refusal;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const GONE: isize = -(libc::ESRCH as isize);

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
        // SAFETY: waitid has filled it in, or it is zeroed: there is no child to report.
        if raw == 0 && unsafe { info.si_pid() } == 0 {
            return Ok(UNSUPPORTED);
        }
        if raw == 0 && place != 0 {
            // SAFETY: the caller's place.
            unsafe { (place as *mut libc::siginfo_t).write_unaligned(info) };
        }
        return Ok(raw);
    }
    // A process that is no child of ours is not waited for.
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let mut look = args;
    look[2] = &raw mut info as usize;
    // mutant: wait-for-child-leaves-reaped
    look[3] |= libc::WNOWAIT as usize;
    // SAFETY: the caller's call, made not to wait nor to reap.
    let raw = unsafe { plain(libc::SYS_waitid, look) };
    // mutant: not-a-child-not-waited-for
    if raw < 0 {
        return Ok(raw);
    }
    // SAFETY: filled in, or zeroed: no child has ended.
    // mutant: child-ended-without-pidfds
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
            // SAFETY: a descriptor made just now, no other owner's.
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
