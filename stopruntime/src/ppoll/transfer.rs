//! Calls that move data or accept a connection.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{is_nonblocking, is_ready, plain, wait_open};
use crate::record::Record;
use crate::stop::Stopped;
use core::ffi::{c_int, c_long};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const AGAIN: isize = -(libc::EAGAIN as isize);

/// Adds `MSG_DONTWAIT` to the flags in argument `flags_at`.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn with_flag(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
    flags_at: usize,
) -> Result<isize, Stopped> {
    let asked = args[flags_at];
    args[flags_at] = asked | libc::MSG_DONTWAIT as usize;
    let events = direction(number);
    // SAFETY: the caller's call, made not to wait.
    let attempt = || unsafe { plain(number, args) };
    if asked & libc::MSG_DONTWAIT as usize != 0 {
        return Ok(attempt());
    }
    let descriptor = args[0] as c_int;
    let raw = attempt();
    if raw != AGAIN || is_nonblocking(descriptor) {
        return Ok(raw);
    }
    // SAFETY: the caller's call, whose address this looks at.
    let peer = unsafe { unix_peer(number, args) };
    let watched = peer.as_ref().map_or(descriptor, AsRawFd::as_raw_fd);
    wait_and_retry(record, descriptor, watched, events, attempt)
}

/// For a datagram to a Unix address: a socket connected to it. The sender's own
/// polls writable as long as it has room itself; one that is connected also
/// looks at the room that its peer has (unix(7)).
///
/// # Safety
///
/// As the call.
unsafe fn unix_peer(number: c_long, args: [usize; 6]) -> Option<OwnedFd> {
    let (address, length) = match number {
        libc::SYS_sendto => (args[4], args[5]),
        libc::SYS_sendmsg | libc::SYS_sendmmsg => {
            // SAFETY: the caller's message; sendmmsg's begins with one.
            let message = unsafe { &*(args[1] as *const libc::msghdr) };
            (message.msg_name as usize, message.msg_namelen as usize)
        }
        _ => return None,
    };
    let address = address as *const libc::sockaddr;
    // SAFETY: the caller's address, which begins with its family.
    if address.is_null() || length < 2 || unsafe { (*address).sa_family } != libc::AF_UNIX as u16 {
        return None;
    }
    // SAFETY: a descriptor of our own, and the caller's address.
    unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let raw = libc::socket(libc::AF_UNIX, kind, 0);
        let socket = (raw >= 0).then(|| OwnedFd::from_raw_fd(raw))?;
        let length = length as libc::socklen_t;
        (libc::connect(socket.as_raw_fd(), address, length) == 0).then_some(socket)
    }
}

/// `read`, `write` and their vectored forms, by `RWF_NOWAIT` where the file
/// has it.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn vectored(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    let descriptor = args[0] as c_int;
    if is_on_disk(descriptor) || is_nonblocking(descriptor) {
        // SAFETY: the caller's call; it does not wait for anybody.
        return Ok(unsafe { plain(number, args) });
    }
    let single = libc::iovec { iov_base: args[1] as *mut _, iov_len: args[2] };
    let (vector, count) = match number {
        libc::SYS_read | libc::SYS_write => (&raw const single as usize, 1),
        _ => (args[1], args[2]),
    };
    let events = direction(number);
    let number_nowait = if events == libc::POLLIN { libc::SYS_preadv2 } else { libc::SYS_pwritev2 };
    let current_position = usize::MAX;
    let nowait =
        [args[0], vector, count, current_position, current_position, libc::RWF_NOWAIT as usize];
    // SAFETY: the same transfer; the vector outlives the call.
    let raw = until_ready(record, descriptor, events, || unsafe { plain(number_nowait, nowait) })?;
    if raw != -(libc::EOPNOTSUPP as isize) && raw != -(libc::ENOSYS as isize) {
        return Ok(raw);
    }
    let mut args = args;
    if number == libc::SYS_write {
        // A longer one would wait for room in the middle; write(2) may be short.
        args[2] = args[2].min(room(descriptor));
    }
    // SAFETY: the caller's call, or a prefix of it.
    unsafe { when_ready(record, number, args, events) }
}

/// `preadv2` and `pwritev2` at the current position, with `RWF_NOWAIT`; at any
/// other they are for files on disk, which never wait.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn positioned(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    let descriptor = args[0] as c_int;
    let asked = args[5];
    if args[3] != usize::MAX || is_on_disk(descriptor) || asked & libc::RWF_NOWAIT as usize != 0 {
        // SAFETY: the caller's call; it does not wait for anybody.
        return Ok(unsafe { plain(number, args) });
    }
    args[5] |= libc::RWF_NOWAIT as usize;
    // SAFETY: the caller's call, made not to wait.
    until_ready(record, descriptor, direction(number), || unsafe { plain(number, args) })
}

/// For calls that nothing makes non-waiting: looks whether the descriptor is
/// ready and makes the call under a lock, so that no other stop-checked caller
/// takes what the look has seen.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn when_ready(
    record: &Record,
    number: c_long,
    args: [usize; 6],
    events: i16,
) -> Result<isize, Stopped> {
    let descriptor = args[0] as c_int;
    if is_nonblocking(descriptor) {
        // SAFETY: the caller's call; it does not wait.
        return Ok(unsafe { plain(number, args) });
    }
    let lock = lock_of(descriptor);
    until_ready(record, descriptor, events, || {
        let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if is_ready(descriptor, events) {
            // SAFETY: the caller's call.
            unsafe { plain(number, args) }
        } else {
            AGAIN
        }
    })
}

/// Makes attempts until one does not say `EAGAIN`, waiting in between; keeps
/// the descriptor's own time-out and non-blocking mode.
fn until_ready(
    record: &Record,
    descriptor: c_int,
    events: i16,
    mut attempt: impl FnMut() -> isize,
) -> Result<isize, Stopped> {
    let raw = attempt();
    if raw != AGAIN || is_nonblocking(descriptor) {
        return Ok(raw);
    }
    wait_and_retry(record, descriptor, descriptor, events, attempt)
}

/// [`until_ready`] after the first attempt, waiting for `watched`.
fn wait_and_retry(
    record: &Record,
    descriptor: c_int,
    watched: c_int,
    events: i16,
    mut attempt: impl FnMut() -> isize,
) -> Result<isize, Stopped> {
    let mut raw = AGAIN;
    let deadline = timeout_of(descriptor, events).map(|timeout| Instant::now() + timeout);
    let mask = crate::signal::open_mask();
    while raw == AGAIN {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(AGAIN);
        }
        let mut entry = libc::pollfd { fd: watched, events, revents: 0 };
        let left = left.map(crate::futex::timespec);
        // SAFETY: one entry, which outlives the call.
        unsafe { wait_open(record, &raw mut entry, 1, left, &mask)? };
        raw = attempt();
    }
    Ok(raw)
}

fn direction(number: c_long) -> i16 {
    match number {
        libc::SYS_sendto
        | libc::SYS_sendmsg
        | libc::SYS_sendmmsg
        | libc::SYS_pwritev2
        | libc::SYS_write
        | libc::SYS_writev => libc::POLLOUT,
        _ => libc::POLLIN,
    }
}

/// `SO_RCVTIMEO` or `SO_SNDTIMEO` of a socket. socket(7).
fn timeout_of(descriptor: c_int, events: i16) -> Option<Duration> {
    let option = if events == libc::POLLIN { libc::SO_RCVTIMEO } else { libc::SO_SNDTIMEO };
    let mut value = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut length = size_of::<libc::timeval>() as libc::socklen_t;
    // SAFETY: a buffer of the option's type and its length.
    let result = unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_SOCKET,
            option,
            (&raw mut value).cast(),
            &raw mut length,
        )
    };
    let timeout = Duration::from_secs(value.tv_sec.unsigned_abs())
        + Duration::from_micros(value.tv_usec.unsigned_abs());
    (result == 0 && !timeout.is_zero()).then_some(timeout)
}

fn status_of(descriptor: c_int) -> Option<libc::stat> {
    // SAFETY: zeroed is a valid stat; fstat fills it in.
    let mut status: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: as above.
    let result = unsafe { libc::fstat(descriptor, &raw mut status) };
    (result == 0).then_some(status)
}

/// Transfers with these end by themselves; they are not waits for an event.
fn is_on_disk(descriptor: c_int) -> bool {
    status_of(descriptor).is_some_and(|status| {
        matches!(status.st_mode & libc::S_IFMT, libc::S_IFREG | libc::S_IFDIR | libc::S_IFBLK)
    })
}

/// How much a descriptor that polls writable takes without waiting.
fn room(descriptor: c_int) -> usize {
    // n_tty reports room above 256 characters.
    const TERMINAL: usize = 256;
    match status_of(descriptor).map(|status| status.st_mode & libc::S_IFMT) {
        Some(libc::S_IFCHR) => TERMINAL,
        Some(libc::S_IFIFO) => libc::PIPE_BUF,
        _ => usize::MAX,
    }
}

/// One lock for a file, whichever descriptor it is reached through.
fn lock_of(descriptor: c_int) -> &'static Mutex<()> {
    static LOCKS: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];
    let inode = status_of(descriptor).map_or(0, |status| status.st_ino);
    &LOCKS[(inode % LOCKS.len() as u64) as usize]
}
