//! The few system calls that std's types come down to. They take the bare
//! descriptor, because std inlines `as_raw_fd` but not `as_fd`, and a call is
//! what must not stand before the next window; the caller holds its owner.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

pub(super) mod file;
pub(super) mod pipes;

use crate::call::{Raw, call, errno};
use crate::kernel::select::One;
use crate::ppoll;
use crate::runtime::futex::timespec;
use crate::scope::Stopped;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

const INTERRUPTED: isize = -(libc::EINTR as isize);
/// More descriptors than the process may open.
const REFUSED: isize = -(libc::EINVAL as isize);

type Outcome<T> = Result<io::Result<T>, Stopped>;

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
        if raw.is_interrupted() {
            continue;
        }
        let accepted = raw.decode()?;
        // SAFETY: a descriptor made just now, nobody else's.
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

/// Waits until one descriptor is ready or in error (true) or the deadline has
/// passed (false).
fn poll(descriptor: RawFd, events: i16, deadline: Option<Instant>) -> Outcome<bool> {
    loop {
        let mut entry = libc::pollfd { fd: descriptor, events, revents: 0 };
        let raw = poll_once(&mut entry, deadline).or_stop()?;
        let raw = if raw == REFUSED { select_once(&mut entry, deadline)? } else { raw };
        if raw < 0 && raw != INTERRUPTED {
            return Ok(Err(io::Error::from_raw_os_error(errno(raw))));
        }
        let ready = raw > 0;
        // Also by a signal, and where less than the time left was waited for.
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if ready || over {
            return Ok(Ok(ready));
        }
    }
}

/// As [`poll_once`], where poll refuses even one descriptor (`RLIMIT_NOFILE`).
#[cold]
fn select_once(entry: &mut libc::pollfd, deadline: Option<Instant>) -> Result<isize, Stopped> {
    let mut one = One::new(*entry);
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let mut left = left.map(timespec);
    let timeout = left.as_mut().map_or(0, |left| core::ptr::from_mut(left) as usize);
    // SAFETY: the sets and the time-out outlive the call.
    let raw = unsafe { call(libc::SYS_pselect6, one.args(timeout, 0)) }.or_stop()?;
    Ok(one.seen(raw, entry))
}

/// One ppoll(2), or with a deadline poll(2): the time-out of ppoll stands still
/// while the process is stopped (SIGSTOP). In whole milliseconds, rounded up.
#[cfg(target_arch = "x86_64")]
fn poll_once(entry: &mut libc::pollfd, deadline: Option<Instant>) -> Raw {
    let entry = core::ptr::from_mut(entry) as usize;
    let Some(deadline) = deadline else {
        // SAFETY: one entry, which outlives the call.
        return unsafe { call(libc::SYS_ppoll, [entry, 1, 0, 0, 0]) };
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let milliseconds = left.as_nanos().div_ceil(1_000_000).min(c_int::MAX.unsigned_abs().into());
    // SAFETY: as above.
    unsafe { call(libc::SYS_poll, [entry, 1, milliseconds as usize]) }
}

/// One ppoll(2).
#[cfg(not(target_arch = "x86_64"))]
fn poll_once(entry: &mut libc::pollfd, deadline: Option<Instant>) -> Raw {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let mut left = left.map(timespec);
    let timeout = left.as_mut().map_or(0, |left| core::ptr::from_mut(left) as usize);
    let args = [core::ptr::from_mut(entry) as usize, 1, timeout, 0, 0];
    // SAFETY: one entry and the time-out outlive the call.
    unsafe { call(libc::SYS_ppoll, args) }
}

/// Waits for a socket to have something to receive: by a look at it, which
/// keeps the socket's time-out and non-blocking mode (`MSG_PEEK`, recv(2)).
pub(in crate::ext) fn recv_ready(descriptor: RawFd) -> Outcome<()> {
    Ok(recv(descriptor, &mut [0], libc::MSG_PEEK)?.map(drop))
}

/// Waits for any other descriptor to be readable, unless it is non-blocking.
pub(in crate::ext) fn read_ready(descriptor: RawFd) -> Outcome<()> {
    if ppoll::is_nonblocking(descriptor) {
        return crate::scope::check().map(Ok);
    }
    wait_readable(descriptor)
}

/// Waits for a descriptor to have room; one that is non-blocking says whether
/// it has.
pub(in crate::ext) fn write_ready(descriptor: RawFd) -> Outcome<()> {
    if !ppoll::is_nonblocking(descriptor) {
        return wait_writable(descriptor);
    }
    crate::scope::check()?;
    let ready = ppoll::is_ready(descriptor, libc::POLLOUT);
    Ok(if ready { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) })
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

/// Waits until a read would not wait; what is wrong with the descriptor is left
/// for the read to report.
pub(crate) fn wait_readable(descriptor: RawFd) -> Outcome<()> {
    Ok(poll(descriptor, libc::POLLIN, None)?.map(drop))
}

/// Waits until a write would not wait, likewise.
pub(crate) fn wait_writable(descriptor: RawFd) -> Outcome<()> {
    Ok(poll(descriptor, libc::POLLOUT, None)?.map(drop))
}

/// `clock_nanosleep(2)` until a time on the monotonic clock, given as the time
/// since its start, so that neither a signal nor SIGSTOP moves it.
pub(in crate::ext) fn sleep_until(time: Duration) -> Result<(), Stopped> {
    let time = timespec(time);
    let clock = libc::CLOCK_MONOTONIC as usize;
    let args = [clock, libc::TIMER_ABSTIME as usize, &raw const time as usize, 0];
    // SAFETY: the time outlives the call; with TIMER_ABSTIME no rest is written.
    let sleep = || unsafe { call(libc::SYS_clock_nanosleep, args) };
    let mut raw = sleep();
    while raw.is_interrupted() {
        raw = sleep();
    }
    raw.or_stop().map(drop)
}

/// waitid(2) until the child has ended; it stays there to be reaped
/// (`WNOWAIT`).
pub(in crate::ext) fn wait_for_end(child: u32) -> Outcome<()> {
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let options = (libc::WEXITED | libc::WNOWAIT) as usize;
    let args = [libc::P_PID as usize, child as usize, &raw mut info as usize, options, 0];
    loop {
        // SAFETY: the place for the siginfo is valid; no usage is asked for.
        let raw = unsafe { call(libc::SYS_waitid, args) };
        if !raw.is_interrupted() {
            return Ok(raw.decode()?.map(drop));
        }
    }
}
