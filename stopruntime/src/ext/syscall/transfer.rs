//! Reading and writing.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::call;
use crate::ext::Outcome;
use crate::ppoll;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::RawFd;

/// read(2).
#[inline(always)]
pub(in crate::ext) fn read(descriptor: RawFd, buffer: &mut [u8]) -> Outcome<usize> {
    let args = [descriptor as usize, buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the buffer is writable for its length.
    unsafe { call(libc::SYS_read, args) }.decode()
}

/// readv(2). `IoSliceMut` has the layout of `iovec`.
#[inline(always)]
pub(in crate::ext) fn readv(descriptor: RawFd, buffers: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
    let count = buffers.len().min(libc::UIO_MAXIOV as usize);
    let args = [descriptor as usize, buffers.as_mut_ptr() as usize, count];
    // SAFETY: an array of that many iovecs, each writable for its length.
    unsafe { call(libc::SYS_readv, args) }.decode()
}

/// write(2).
#[inline(always)]
pub(in crate::ext) fn write(descriptor: RawFd, data: &[u8]) -> Outcome<usize> {
    let args = [descriptor as usize, data.as_ptr() as usize, data.len()];
    // SAFETY: the data is readable for its length.
    unsafe { call(libc::SYS_write, args) }.decode()
}

/// writev(2). `IoSlice` has the layout of `iovec`.
#[inline(always)]
pub(in crate::ext) fn writev(descriptor: RawFd, data: &[IoSlice<'_>]) -> Outcome<usize> {
    let count = data.len().min(libc::UIO_MAXIOV as usize);
    let args = [descriptor as usize, data.as_ptr() as usize, count];
    // SAFETY: an array of that many iovecs, each readable for its length.
    unsafe { call(libc::SYS_writev, args) }.decode()
}

/// Writes what there is room for, without waiting: how much. To sockets, pipes
/// and files on disk; nothing to what cannot be asked for that.
pub(in crate::ext) fn write_now(descriptor: RawFd, data: &[u8]) -> usize {
    let (pointer, length) = (data.as_ptr().cast(), data.len());
    // SAFETY: the data is readable for its length.
    let written = unsafe {
        match ppoll::kind_of(descriptor) {
            libc::S_IFSOCK => {
                let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
                libc::send(descriptor, pointer, length, flags)
            }
            libc::S_IFIFO => return write_to_pipe_now(descriptor, data),
            _ if ppoll::is_on_disk(descriptor) => libc::write(descriptor, pointer, length),
            _ => 0,
        }
    };
    usize::try_from(written).unwrap_or(0)
}

/// By `RWF_NOWAIT`, which pipes have since Linux 6.5. Before that: one that polls
/// writable has room for `PIPE_BUF` bytes (pipe(7)), unless another writer is
/// faster.
fn write_to_pipe_now(pipe: RawFd, data: &[u8]) -> usize {
    let part = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    // The current position, in two registers where they have 32 bits.
    let (here, flags): (isize, _) = (-1, libc::RWF_NOWAIT);
    // SAFETY: the data is readable for its length.
    let written = unsafe {
        libc::syscall(libc::SYS_pwritev2, pipe, &raw const part, 1_usize, here, here, flags)
    };
    if let Ok(written) = usize::try_from(written) {
        return written;
    }
    if io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock {
        return 0;
    }
    let mut written = 0;
    for part in data.chunks(libc::PIPE_BUF) {
        if ppoll::has_now(pipe, libc::POLLOUT) != libc::POLLOUT {
            break;
        }
        // SAFETY: the part is readable for its length.
        let length = unsafe { libc::write(pipe, part.as_ptr().cast(), part.len()) };
        let Ok(length @ 1..) = usize::try_from(length) else { break };
        written += length;
    }
    written
}
