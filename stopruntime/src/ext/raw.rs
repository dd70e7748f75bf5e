//! The few system calls that std's types come down to.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::{call, decode, is_interrupted};
use crate::futex::timespec;
use crate::stop::Stopped;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

type Outcome<T> = Result<io::Result<T>, Stopped>;

fn number(descriptor: BorrowedFd<'_>) -> usize {
    descriptor.as_raw_fd() as usize
}

/// read(2).
#[inline(always)]
pub(super) fn read(descriptor: BorrowedFd<'_>, buffer: &mut [u8]) -> Outcome<usize> {
    let args = [number(descriptor), buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the buffer is writable for its length.
    Ok(decode(unsafe { call(libc::SYS_read, args)? }))
}

/// readv(2). `IoSliceMut` has the layout of `iovec`.
#[inline(always)]
pub(super) fn readv(descriptor: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
    let count = buffers.len().min(libc::UIO_MAXIOV as usize);
    let args = [number(descriptor), buffers.as_mut_ptr() as usize, count];
    // SAFETY: an array of that many iovecs, each writable for its length.
    Ok(decode(unsafe { call(libc::SYS_readv, args)? }))
}

/// write(2).
#[inline(always)]
pub(super) fn write(descriptor: BorrowedFd<'_>, data: &[u8]) -> Outcome<usize> {
    let args = [number(descriptor), data.as_ptr() as usize, data.len()];
    // SAFETY: the data is readable for its length.
    Ok(decode(unsafe { call(libc::SYS_write, args)? }))
}

/// writev(2). `IoSlice` has the layout of `iovec`.
#[inline(always)]
pub(super) fn writev(descriptor: BorrowedFd<'_>, data: &[IoSlice<'_>]) -> Outcome<usize> {
    let count = data.len().min(libc::UIO_MAXIOV as usize);
    let args = [number(descriptor), data.as_ptr() as usize, count];
    // SAFETY: an array of that many iovecs, each readable for its length.
    Ok(decode(unsafe { call(libc::SYS_writev, args)? }))
}

/// recv(2).
#[inline(always)]
pub(super) fn recv(descriptor: BorrowedFd<'_>, buffer: &mut [u8], flags: c_int) -> Outcome<usize> {
    let (pointer, length) = (buffer.as_mut_ptr() as usize, buffer.len());
    let args = [number(descriptor), pointer, length, flags as usize, 0, 0];
    // SAFETY: the buffer is writable for its length; no address is asked for.
    Ok(decode(unsafe { call(libc::SYS_recvfrom, args)? }))
}

/// send(2), with `MSG_NOSIGNAL` as std has it.
#[inline(always)]
pub(super) fn send(descriptor: BorrowedFd<'_>, data: &[u8]) -> Outcome<usize> {
    let (pointer, length) = (data.as_ptr() as usize, data.len());
    let args = [number(descriptor), pointer, length, libc::MSG_NOSIGNAL as usize, 0, 0];
    // SAFETY: the data is readable for its length; no address is given.
    Ok(decode(unsafe { call(libc::SYS_sendto, args)? }))
}

/// A socket address as the kernel wrote it: not zeroed before.
pub(super) struct RawAddress {
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
    pub(super) fn bytes(&self) -> &[u8] {
        let length = (self.length as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: the kernel has written this many bytes, no more than fit.
        unsafe { core::slice::from_raw_parts(self.storage.as_ptr().cast(), length) }
    }
}

/// recvfrom(2).
#[inline(always)]
pub(super) fn recv_from<A>(
    descriptor: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: c_int,
    address: impl FnOnce(&RawAddress) -> io::Result<A>,
) -> Outcome<(usize, A)> {
    let mut from = RawAddress::new();
    let args = [
        number(descriptor),
        buffer.as_mut_ptr() as usize,
        buffer.len(),
        flags as usize,
        from.storage.as_mut_ptr() as usize,
        &raw mut from.length as usize,
    ];
    // SAFETY: the buffer and the place for the address are writable for their
    // lengths.
    let raw = unsafe { call(libc::SYS_recvfrom, args)? };
    Ok(decode(raw).and_then(|length| Ok((length, address(&from)?))))
}

/// sendto(2).
#[inline(always)]
pub(super) fn send_to(
    descriptor: BorrowedFd<'_>,
    data: &[u8],
    address: &socket2::SockAddr,
) -> Outcome<usize> {
    let args = [
        number(descriptor),
        data.as_ptr() as usize,
        data.len(),
        libc::MSG_NOSIGNAL as usize,
        address.as_ptr() as usize,
        address.len() as usize,
    ];
    // SAFETY: data and address are readable for their lengths.
    Ok(decode(unsafe { call(libc::SYS_sendto, args)? }))
}

/// accept4(2) with `SOCK_CLOEXEC`; a foreign signal does not end it, as in std.
#[inline(always)]
pub(super) fn accept(descriptor: BorrowedFd<'_>) -> Outcome<(OwnedFd, RawAddress)> {
    loop {
        let mut from = RawAddress::new();
        let args = [
            number(descriptor),
            from.storage.as_mut_ptr() as usize,
            &raw mut from.length as usize,
            libc::SOCK_CLOEXEC as usize,
        ];
        // SAFETY: the place for the address is writable for its length.
        let raw = unsafe { call(libc::SYS_accept4, args)? };
        if is_interrupted(raw) {
            continue;
        }
        // SAFETY: a descriptor made just now, nobody else's.
        return Ok(decode(raw).map(|new| (unsafe { OwnedFd::from_raw_fd(new as c_int) }, from)));
    }
}

/// connect(2) of a socket that nobody else uses. Interrupted, the attempt goes
/// on without us: its end is waited for.
pub(super) fn connect(descriptor: BorrowedFd<'_>, address: &socket2::SockAddr) -> Outcome<()> {
    let args = [number(descriptor), address.as_ptr() as usize, address.len() as usize];
    // SAFETY: the address is readable for its length.
    let raw = unsafe { call(libc::SYS_connect, args)? };
    if is_interrupted(raw) {
        return connected(descriptor, None);
    }
    Ok(decode(raw).map(drop))
}

/// Waits for the end of a connection attempt and fetches its outcome.
pub(super) fn connected(descriptor: BorrowedFd<'_>, deadline: Option<Instant>) -> Outcome<()> {
    if !poll(descriptor, libc::POLLOUT, deadline)? {
        return Ok(Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out")));
    }
    let outcome = socket2::SockRef::from(&descriptor).take_error();
    Ok(outcome.and_then(|error| error.map_or(Ok(()), Err)))
}

/// ppoll(2) of one descriptor until it is ready or in error (true) or the
/// deadline has passed (false).
fn poll(
    descriptor: BorrowedFd<'_>,
    events: i16,
    deadline: Option<Instant>,
) -> Result<bool, Stopped> {
    loop {
        let mut entry = libc::pollfd { fd: descriptor.as_raw_fd(), events, revents: 0 };
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let mut left = left.map(timespec);
        let timeout = left.as_mut().map_or(0, |left| core::ptr::from_mut(left) as usize);
        let args = [&raw mut entry as usize, 1, timeout, 0, 0];
        // SAFETY: one entry and the time-out outlive the call.
        let raw = unsafe { call(libc::SYS_ppoll, args)? };
        if !is_interrupted(raw) {
            return Ok(raw != 0);
        }
    }
}

/// Waits until a read would not wait; an error is left for the read to report.
pub(crate) fn wait_readable(descriptor: BorrowedFd<'_>) -> Result<(), Stopped> {
    poll(descriptor, libc::POLLIN, None).map(drop)
}

/// Waits until a write would not wait; an error is left for the write to report.
pub(crate) fn wait_writable(descriptor: BorrowedFd<'_>) -> Result<(), Stopped> {
    poll(descriptor, libc::POLLOUT, None).map(drop)
}

/// clock_nanosleep(2) until a time on the monotonic clock, given as the time
/// since its start, so that neither a signal nor SIGSTOP moves it.
pub(super) fn sleep_until(time: Duration) -> Result<(), Stopped> {
    let time = timespec(time);
    let clock = libc::CLOCK_MONOTONIC as usize;
    let args = [clock, libc::TIMER_ABSTIME as usize, &raw const time as usize, 0];
    // SAFETY: the time outlives the call; with TIMER_ABSTIME no rest is written.
    while is_interrupted(unsafe { call(libc::SYS_clock_nanosleep, args)? }) {}
    Ok(())
}

/// The monotonic clock, as the time since its start.
pub(super) fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place for the time.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}

/// waitid(2) until the child has ended; it stays there to be reaped
/// (`WNOWAIT`).
pub(super) fn wait_for_end(child: u32) -> Outcome<()> {
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let options = (libc::WEXITED | libc::WNOWAIT) as usize;
    let args = [libc::P_PID as usize, child as usize, &raw mut info as usize, options, 0];
    loop {
        // SAFETY: the place for the siginfo is valid; no usage is asked for.
        let raw = unsafe { call(libc::SYS_waitid, args)? };
        if !is_interrupted(raw) {
            return Ok(decode(raw).map(drop));
        }
    }
}
