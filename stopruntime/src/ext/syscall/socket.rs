//! Sockets.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use super::ready::poll;
use crate::call::call;
use crate::ext::Outcome;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Instant;

/// recv(2).
#[inline(always)]
pub(in crate::ext) fn recv(descriptor: RawFd, buffer: &mut [u8], flags: c_int) -> Outcome<usize> {
    let (pointer, length) = (buffer.as_mut_ptr() as usize, buffer.len());
    let args = [descriptor as usize, pointer, length, flags as usize, 0, 0];
    // SAFETY: the buffer is writable for its length; no address is asked for.
    unsafe { call(libc::SYS_recvfrom, args) }.decode()
}

/// send(2), with `MSG_NOSIGNAL` as std has it.
#[inline(always)]
pub(in crate::ext) fn send(descriptor: RawFd, data: &[u8]) -> Outcome<usize> {
    let (pointer, length) = (data.as_ptr() as usize, data.len());
    let args = [descriptor as usize, pointer, length, libc::MSG_NOSIGNAL as usize, 0, 0];
    // SAFETY: the data is readable for its length; no address is given.
    unsafe { call(libc::SYS_sendto, args) }.decode()
}

/// A socket address as the kernel wrote it: not zeroed before.
pub(in crate::ext) struct RawAddress {
    storage: MaybeUninit<libc::sockaddr_storage>,
    length: libc::socklen_t,
}

impl RawAddress {
    #[inline(always)]
    fn new() -> RawAddress {
        RawAddress {
            storage: MaybeUninit::uninit(),
            length: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }

    /// The bytes that the kernel filled in.
    #[inline(always)]
    pub(in crate::ext) fn bytes(&self) -> &[u8] {
        let length = (self.length as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: the kernel has written this many bytes, no more than fit.
        unsafe { core::slice::from_raw_parts(self.storage.as_ptr().cast(), length) }
    }
}

/// recvfrom(2).
#[inline(always)]
pub(in crate::ext) fn recv_from<A>(
    descriptor: RawFd,
    buffer: &mut [u8],
    flags: c_int,
    address: impl FnOnce(&RawAddress) -> io::Result<A>,
) -> Outcome<(usize, A)> {
    let mut from = RawAddress::new();
    let args = [
        descriptor as usize,
        buffer.as_mut_ptr() as usize,
        buffer.len(),
        flags as usize,
        from.storage.as_mut_ptr() as usize,
        &raw mut from.length as usize,
    ];
    // SAFETY: the buffer and the place for the address are writable for their
    // lengths.
    let received = unsafe { call(libc::SYS_recvfrom, args) }.decode()?;
    Ok(received.and_then(|length| Ok((length, address(&from)?))))
}

/// sendto(2).
#[inline(always)]
pub(in crate::ext) fn send_to(
    descriptor: RawFd,
    data: &[u8],
    address: &socket2::SockAddr,
) -> Outcome<usize> {
    let args = [
        descriptor as usize,
        data.as_ptr() as usize,
        data.len(),
        libc::MSG_NOSIGNAL as usize,
        address.as_ptr() as usize,
        address.len() as usize,
    ];
    // SAFETY: data and address are readable for their lengths.
    unsafe { call(libc::SYS_sendto, args) }.decode()
}

/// accept4(2) with `SOCK_CLOEXEC`; a foreign signal does not end it, as in std.
#[inline(always)]
pub(in crate::ext) fn accept(descriptor: RawFd) -> Outcome<(OwnedFd, RawAddress)> {
    loop {
        let mut from = RawAddress::new();
        let args = [
            descriptor as usize,
            from.storage.as_mut_ptr() as usize,
            &raw mut from.length as usize,
            libc::SOCK_CLOEXEC as usize,
        ];
        // SAFETY: the place for the address is writable for its length.
        let raw = unsafe { call(libc::SYS_accept4, args) };
        // mutant: accept-goes-on-after-signal
        if raw.is_interrupted() {
            continue;
        }
        let accepted = raw.decode()?;
        // SAFETY: a descriptor made just now, which has no other owner.
        return Ok(accepted.map(|new| (unsafe { OwnedFd::from_raw_fd(new as c_int) }, from)));
    }
}

/// connect(2) of a socket that no other thread uses. If a signal interrupts it,
/// the attempt goes on without the call, and its end is waited for.
pub(in crate::ext) fn connect(descriptor: RawFd, address: &socket2::SockAddr) -> Outcome<()> {
    let args = [descriptor as usize, address.as_ptr() as usize, address.len() as usize];
    // SAFETY: the address is readable for its length.
    let raw = unsafe { call(libc::SYS_connect, args) };
    // A Unix socket has no attempt that could go on: there the interrupted call
    // has done nothing, and says so as the plain one does.
    // mutant: interrupted-connect-waited-for
    if raw.is_interrupted() && address.family() != libc::AF_UNIX as libc::sa_family_t {
        return connected(descriptor, None);
    }
    Ok(raw.decode()?.map(drop))
}

/// Waits for the end of a connection attempt and fetches its outcome.
pub(in crate::ext) fn connected(descriptor: RawFd, deadline: Option<Instant>) -> Outcome<()> {
    match poll(descriptor, libc::POLLOUT, deadline)? {
        Ok(true) => {}
        Ok(false) => {
            return Ok(Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out")));
        }
        Err(error) => return Ok(Err(error)),
    }
    // SAFETY: open for as long as this call.
    let socket = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let outcome = socket2::SockRef::from(&socket).take_error();
    Ok(outcome.and_then(|error| error.map_or(Ok(()), Err)))
}

/// Waits for a socket to have something to receive: by a look at it, which
/// keeps the socket's time-out and non-blocking mode (`MSG_PEEK`, recv(2)).
pub(in crate::ext) fn recv_ready(descriptor: RawFd) -> Outcome<()> {
    // mutant: buffered-wait-takes-no-data
    Ok(recv(descriptor, &mut [0], libc::MSG_PEEK)?.map(drop))
}
