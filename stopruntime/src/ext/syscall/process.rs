//! Waiting for children, their groups, and reading two pipes at once.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from a
//! reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::call;
use crate::ext::Outcome;
use core::ffi::c_int;
use std::io::{self, ErrorKind};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// ppoll(2) of some descriptors, of which -1 is none, until one can be read or is at its
/// end; which.
pub(in crate::ext) fn any_readable<const N: usize>(descriptors: [RawFd; N]) -> Outcome<[bool; N]> {
    loop {
        let mut entries =
            descriptors.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
        let args = [entries.as_mut_ptr() as usize, entries.len(), 0, 0, 0];
        // SAFETY: the entries outlive the call.
        let raw = unsafe { call(libc::SYS_ppoll, args) };
        if !raw.is_interrupted() {
            return Ok(raw.decode()?.map(|_| entries.map(|entry| entry.revents != 0)));
        }
    }
}

/// `pidfd_open(2)`: can be read when the child has ended. None before Linux 5.3, or where a
/// filter refuses it.
pub(in crate::ext) fn watch(child: u32) -> io::Result<Option<OwnedFd>> {
    // SAFETY: integers.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, child, 0) };
    if let Ok(descriptor @ 0..) = RawFd::try_from(raw) {
        // SAFETY: a new descriptor.
        return Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) }));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM) => Err(error),
        _ => Ok(None),
    }
}

/// read(2) to the end of what the buffer holds, where room is made for it.
pub(in crate::ext) fn append(descriptor: RawFd, buffer: &mut Vec<u8>) -> Outcome<usize> {
    const ROOM: usize = 8 * 1024;
    if let Err(error) = buffer.try_reserve(ROOM) {
        return Ok(Err(error.into()));
    }
    let room = buffer.spare_capacity_mut();
    let args = [descriptor as usize, room.as_mut_ptr() as usize, room.len()];
    // SAFETY: the room is writable for its length.
    let read = unsafe { call(libc::SYS_read, args) }.decode()?;
    if let Ok(length) = read {
        // SAFETY: the kernel has written this many bytes more.
        unsafe { buffer.set_len(buffer.len() + length) }
    }
    Ok(read)
}

/// Returns whether no process has the writing end of this pipe. poll(2).
pub(in crate::ext) fn is_hung_up(pipe: RawFd) -> bool {
    crate::ppoll::has_now(pipe, 0) & libc::POLLHUP != 0
}

/// waitid(2) until the child has ended; it stays there to be reaped
/// (`WNOWAIT`).
pub(in crate::ext) fn wait_for_end(child: u32) -> Outcome<()> {
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    // mutant: stopped-wait-leaves-child-reaped
    let options = (libc::WEXITED | libc::WNOWAIT) as usize;
    let args = [libc::P_PID as usize, child as usize, &raw mut info as usize, options, 0];
    loop {
        // SAFETY: the place for the siginfo is valid; no usage is asked for.
        let raw = unsafe { call(libc::SYS_waitid, args) };
        // mutant: wait-for-child-goes-on
        if !raw.is_interrupted() {
            return Ok(raw.decode()?.map(drop));
        }
    }
}

/// waitid(2), not stop-checked: whether the child has ended, which stays there to be
/// reaped. With no options it waits for that.
pub(in crate::ext) fn has_ended(child: u32, options: c_int) -> io::Result<bool> {
    loop {
        // SAFETY: zeroed is a valid siginfo, and waitid(2) fills it in.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            let options = options | libc::WEXITED | libc::WNOWAIT;
            (libc::waitid(libc::P_PID, child, &raw mut info, options), info)
        };
        if result == 0 {
            // SAFETY: filled in, or still zeroed: the child has not ended.
            return Ok(unsafe { info.si_pid() } != 0);
        }
        let error = io::Error::last_os_error();
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// kill(2) of the process group that this child leads, which is not reaped.
pub(in crate::ext) fn signal_group(leader: u32, signal: c_int) -> io::Result<()> {
    // SAFETY: integers. There is such a group.
    match unsafe { libc::kill(-leader.cast_signed(), signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
