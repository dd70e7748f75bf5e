//! The system calls of a copy that do not wait, and so are not stop-checked.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::ppoll::{is_on_disk, kind_of};
use core::ffi::c_int;
use std::io;
use std::os::fd::RawFd;

pub(super) use crate::ppoll::is_nonblocking;

/// What a descriptor can do about bytes that have been read from it.
pub(super) enum Kind {
    /// Be moved back.
    Seekable,
    /// Show them before they are read.
    Stream,
    /// Have them duplicated before they are read.
    Pipe,
    /// Nothing.
    Other,
}

/// The kind of a descriptor. Files of the kernel's own look like files on a
/// disk, and some of them give each byte only once.
pub(super) fn kind(descriptor: RawFd) -> Kind {
    match kind_of(descriptor) {
        libc::S_IFIFO => Kind::Pipe,
        libc::S_IFSOCK if is_plain_stream(descriptor) => Kind::Stream,
        libc::S_IFREG | libc::S_IFBLK if is_on_disk(descriptor) && is_seekable(descriptor) => {
            Kind::Seekable
        }
        _ => Kind::Other,
    }
}

/// Whether the descriptor has a position.
fn is_seekable(descriptor: RawFd) -> bool {
    // SAFETY: takes no pointer.
    unsafe { libc::lseek(descriptor, 0, libc::SEEK_CUR) >= 0 }
}

/// A stream whose `MSG_PEEK` begins where its next read does: unix(7) and tcp(7)
/// unless `SO_PEEK_OFF` is set, socket(7).
fn is_plain_stream(descriptor: RawFd) -> bool {
    let family = option(descriptor, libc::SO_DOMAIN);
    option(descriptor, libc::SO_TYPE) == Some(libc::SOCK_STREAM)
        && [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX].map(Some).contains(&family)
        // mutant: socket-with-peek-offset
        && option(descriptor, libc::SO_PEEK_OFF).is_none_or(|offset| offset < 0)
}

/// An option of a socket that is a number.
fn option(descriptor: RawFd, name: c_int) -> Option<c_int> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    let place = (&raw mut value).cast();
    // SAFETY: a buffer of the option's type and its length.
    let result =
        unsafe { libc::getsockopt(descriptor, libc::SOL_SOCKET, name, place, &raw mut length) };
    (result == 0).then_some(value)
}

/// Moves the position back. lseek(2).
pub(super) fn seek_back(descriptor: RawFd, bytes: usize) -> io::Result<()> {
    // SAFETY: takes no pointer. A piece fits.
    let position = unsafe { libc::lseek(descriptor, -(bytes as libc::off_t), libc::SEEK_CUR) };
    if position < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes off a stream socket what has been seen of it. recv(2).
pub(super) fn receive(descriptor: RawFd, mut seen: &mut [u8]) -> io::Result<()> {
    while !seen.is_empty() {
        // SAFETY: the buffer is writable for its length.
        let received = counted(|| unsafe {
            libc::recv(descriptor, seen.as_mut_ptr().cast(), seen.len(), libc::MSG_DONTWAIT)
        });
        match received {
            // Another reader was faster.
            Ok(0) => break,
            Ok(length) => seen = &mut seen[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Duplicates the first bytes of a pipe into another. tee(2).
pub(super) fn duplicate(from: RawFd, to: RawFd, most: usize) -> io::Result<usize> {
    // SAFETY: takes no pointer.
    counted(|| unsafe { libc::tee(from, to, most, libc::SPLICE_F_NONBLOCK) })
}

/// Moves the first bytes of a pipe into another. splice(2).
pub(super) fn take(from: RawFd, to: RawFd, most: usize) -> io::Result<usize> {
    let nowhere = core::ptr::null_mut();
    // SAFETY: no offsets are given.
    counted(|| unsafe { libc::splice(from, nowhere, to, nowhere, most, libc::SPLICE_F_NONBLOCK) })
}

/// The count that a call gives; made again if a foreign signal came first.
fn counted(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        let count = usize::try_from(call()).map_err(|_| io::Error::last_os_error());
        if !matches!(&count, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
            return count;
        }
    }
}
