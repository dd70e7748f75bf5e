//! What it takes to read two pipes at once.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from a
//! reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::call;
use crate::scope::Stopped;
use std::io;
use std::os::fd::RawFd;

type Outcome<T> = Result<io::Result<T>, Stopped>;

/// ppoll(2) of two descriptors, of which -1 is none, until one can be read or
/// is at its end; which.
pub(in crate::ext) fn either_readable(descriptors: [RawFd; 2]) -> Outcome<[bool; 2]> {
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

/// Whether nobody has the writing end of this pipe. poll(2).
pub(in crate::ext) fn is_hung_up(pipe: RawFd) -> bool {
    crate::ppoll::has_now(pipe, 0) & libc::POLLHUP != 0
}
