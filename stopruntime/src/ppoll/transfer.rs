//! Calls that move data or accept a connection.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::file::{self, Turn};
use super::ready::{AGAIN, Event, until_ready};
use super::{UNSUPPORTED, has_now, is_nonblocking, is_ready, plain};
use crate::kernel::given::{each_given, given};
use crate::kernel::refusal::is_refusal;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

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
    // mutant: sockets-call-does-not-wait
    args[flags_at] = asked | libc::MSG_DONTWAIT as usize;
    let descriptor = args[0] as c_int;
    // SAFETY: the caller's call, made not to wait.
    let mut attempt = || unsafe { plain(number, args) };
    let raw = attempt();
    let asked_not_to_wait = asked & libc::MSG_DONTWAIT as usize != 0;
    // mutant: socket-does-not-wait-does
    if raw != AGAIN || asked_not_to_wait || is_nonblocking(descriptor) {
        return Ok(raw);
    }
    // SAFETY: the caller's call, whose address this looks at.
    match unsafe { unix_peer(number, args) } {
        Ok(peer) => {
            let event = Event { descriptor, events: direction(number), peer };
            until_ready(record, &event, &mut attempt)
        }
        Err(raw) => Ok(raw),
    }
}

/// recvfrom(2). With `MSG_WAITALL` of a stream it goes on until the whole length
/// has come; an error, the end, or a stop leaves it at what it has by then, as it
/// leaves the plain call.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn receive(record: &Record, mut args: [usize; 6]) -> Result<isize, Stopped> {
    const ONCE: c_int = libc::MSG_DONTWAIT | libc::MSG_PEEK | libc::MSG_OOB | libc::MSG_ERRQUEUE;
    let (descriptor, length, flags) = (args[0] as c_int, args[2], args[3] as c_int);
    let mut done = 0;
    loop {
        // SAFETY: the caller's call, with the rest of its buffer.
        let raw = match unsafe { with_flag(record, libc::SYS_recvfrom, args, 3) } {
            Ok(raw) if raw > 0 => raw.unsigned_abs(),
            // The bytes have been taken: the stop is for the next call.
            // mutant: leaves-what-come-at-stop
            outcome if done == 0 => return outcome,
            _ => return Ok(done as isize),
        };
        done += raw;
        // mutant: msg-waitall-waits-for-all
        let whole = flags & libc::MSG_WAITALL != 0 && flags & ONCE == 0;
        if done >= length || !whole || is_nonblocking(descriptor) || !is_stream(descriptor) {
            return Ok(done as isize);
        }
        args[1] += raw;
        args[2] -= raw;
        // An error is left for the next call, as the plain one leaves it.
        if has_now(descriptor, libc::POLLIN) & libc::POLLERR != 0 {
            return Ok(done as isize);
        }
    }
}

/// Whether it is a stream's socket, whose data have no borders. getsockopt(2).
fn is_stream(descriptor: c_int) -> bool {
    let mut kind: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_TYPE);
    let place = (&raw mut kind).cast();
    // SAFETY: a place of the option's type and its length.
    let known = unsafe { libc::getsockopt(descriptor, level, option, place, &raw mut length) } == 0;
    known && kind == libc::SOCK_STREAM
}

/// For a datagram to a Unix address: a socket connected to it. The sender's own
/// polls writable as long as it has room itself; one that is connected also
/// looks at the room that its peer has (unix(7)).
///
/// # Safety
///
/// As the call.
unsafe fn unix_peer(number: c_long, args: [usize; 6]) -> Result<Option<OwnedFd>, isize> {
    let (address, length) = match number {
        libc::SYS_sendto => (args[4], args[5]),
        libc::SYS_sendmsg | libc::SYS_sendmmsg => {
            // SAFETY: the caller's message; sendmmsg's begins with one.
            match unsafe { given::<libc::msghdr>(args[1]) } {
                Some(message) => (message.msg_name as usize, message.msg_namelen as usize),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    // SAFETY: the caller's address, which begins with its family.
    let family = if length < 2 { None } else { unsafe { given::<libc::sa_family_t>(address) } };
    if family != Some(libc::AF_UNIX as libc::sa_family_t) {
        return Ok(None);
    }
    let kind = (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as usize;
    // SAFETY: a descriptor of our own, and the caller's address.
    unsafe {
        let raw = plain(libc::SYS_socket, [libc::AF_UNIX as usize, kind, 0, 0, 0, 0]);
        if raw < 0 {
            return Err(raw);
        }
        let socket = OwnedFd::from_raw_fd(raw as c_int);
        match plain(libc::SYS_connect, [raw as usize, address, length, 0, 0, 0]) {
            0 => Ok(Some(socket)),
            raw => Err(raw),
        }
    }
}

/// `read`, `write` and their vectored forms: of a socket by `MSG_DONTWAIT`, of
/// others by `RWF_NOWAIT` where the file has it (pipes: Linux 6.5).
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
    let single = libc::iovec { iov_base: args[1] as *mut _, iov_len: args[2] };
    let (vector, count) = match number {
        libc::SYS_read | libc::SYS_write => (&raw const single, 1),
        _ => (args[1] as *const libc::iovec, args[2]),
    };
    let nothing = single.iov_len == 0 && vector == &raw const single;
    let kind = file::kind_of(descriptor);
    if nothing || file::is_kind_on_disk(descriptor, kind) || is_nonblocking(descriptor) {
        // SAFETY: the caller's call; it does not wait for anybody.
        return Ok(unsafe { plain(number, args) });
    }
    let events = direction(number);
    // SAFETY: the caller's vector.
    // mutant: socket-written-without-rwf-nowait
    if kind == libc::S_IFSOCK && unsafe { parts(vector, count) }.any(|part| part.iov_len != 0) {
        let number = if events == libc::POLLIN { libc::SYS_recvmsg } else { libc::SYS_sendmsg };
        // SAFETY: zeroed is a message of nothing.
        let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
        message.msg_iov = vector.cast_mut();
        message.msg_iovlen = count as _;
        let args = [args[0], &raw const message as usize, 0, 0, 0, 0];
        // SAFETY: what the kernel makes of the call itself; the vector and the
        // message outlive it.
        return unsafe { with_flag(record, number, args, 2) };
    }
    let nowait = if events == libc::POLLIN { libc::SYS_preadv2 } else { libc::SYS_pwritev2 };
    let here = usize::MAX;
    // mutant: nor-does-pipes
    let call = [args[0], vector as usize, count, here, here, libc::RWF_NOWAIT as usize];
    let event = Event { descriptor, events, peer: None };
    // SAFETY: the same transfer; the vector outlives the call.
    let raw = until_ready(record, &event, &mut || unsafe { plain(nowait, call) })?;
    // mutant: preadv2-may-forbidden
    if raw != -(libc::EOPNOTSUPP as isize) && !is_refusal(raw) {
        return Ok(raw);
    }
    // SAFETY: the caller's vector.
    let vector = unsafe { parts(vector, count) }.collect::<Vec<_>>();
    let refused = vector.iter().any(|part| part.iov_len > isize::MAX.unsigned_abs());
    let first = vector.iter().position(|part| part.iov_len != 0);
    let Some(begin) = first.filter(|_| !refused) else {
        // SAFETY: the caller's call, which is refused or has nothing to transfer.
        return Ok(unsafe { plain(number, args) });
    };
    if events == libc::POLLIN {
        // SAFETY: the caller's call.
        return unsafe { when_ready(record, number, args, events) };
    }
    let (first, whole) = (&vector[begin], atomic_parts(&vector[begin..]));
    // mutant: what-pipe-room-for-written
    if whole > 1 && file::kind_of(descriptor) == libc::S_IFIFO {
        let call = [args[0], core::ptr::from_ref(first) as usize, whole, 0, 0, 0];
        // SAFETY: a part of the caller's vector.
        return unsafe { when_ready(record, libc::SYS_writev, call, events) };
    }
    // SAFETY: a part of the caller's data.
    unsafe { write_first(record, descriptor, first) }
}

/// How many of the parts a pipe that polls writable has room for; they are
/// written at once or not at all (pipe(7)).
fn atomic_parts(vector: &[libc::iovec]) -> usize {
    // mutant: no-more-than
    let mut room = libc::PIPE_BUF;
    let fits = |part: &&libc::iovec| match room.checked_sub(part.iov_len) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    vector.iter().take_while(fits).count()
}

/// The caller's parts; none where the call itself is refused, or has nothing to
/// transfer.
///
/// # Safety
///
/// As the call.
unsafe fn parts(vector: *const libc::iovec, count: usize) -> impl Iterator<Item = libc::iovec> {
    const MOST: usize = libc::UIO_MAXIOV as usize;
    // SAFETY: the caller's vector.
    // mutant: more-parts-than-there-may
    unsafe { each_given(vector as usize, if count > MOST { 0 } else { count }) }
}

/// Writes from the first part; write(2) may be short.
///
/// # Safety
///
/// As write(2) of that part.
unsafe fn write_first(
    record: &Record,
    descriptor: c_int,
    first: &libc::iovec,
) -> Result<isize, Stopped> {
    let data = first.iov_base as usize;
    // mutant: full-terminal-holds-no-writer
    if let Some(terminal) = file::terminal(descriptor) {
        let call = [terminal.as_raw_fd() as usize, data, first.iov_len, 0, 0, 0];
        let event = Event { descriptor, events: libc::POLLOUT, peer: None };
        // SAFETY: a part of the caller's data, to its terminal, without waiting.
        return until_ready(record, &event, &mut || unsafe { plain(libc::SYS_write, call) });
    }
    // An eventfd polls writable as soon as a 1 fits (eventfd(2)).
    let anonymous = file::kind_of(descriptor) == 0;
    // SAFETY: eight bytes of the caller's data.
    // mutant: what-does-not-fit-eventfd
    if anonymous && first.iov_len == 8 && unsafe { given::<u64>(data) } > Some(1) {
        return Ok(UNSUPPORTED);
    }
    // A pipe that polls writable has room for this much (pipe(7)).
    let most = if file::kind_of(descriptor) == libc::S_IFIFO { libc::PIPE_BUF } else { usize::MAX };
    let call = [descriptor as usize, data, first.iov_len.min(most), 0, 0, 0];
    // SAFETY: a part of the caller's data.
    unsafe { when_ready(record, libc::SYS_write, call, libc::POLLOUT) }
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
    let not_to_wait = args[5] & libc::RWF_NOWAIT as usize != 0;
    // -1, in two registers where they have 32 bits.
    let here = args[3] == usize::MAX && (size_of::<usize>() == 8 || args[4] == usize::MAX);
    if not_to_wait || !here || file::is_on_disk(descriptor) {
        // SAFETY: the caller's call; it does not wait for anybody.
        return Ok(unsafe { plain(number, args) });
    }
    args[5] |= libc::RWF_NOWAIT as usize;
    let event = Event { descriptor, events: direction(number), peer: None };
    // SAFETY: the caller's call, made not to wait.
    until_ready(record, &event, &mut || unsafe { plain(number, args) })
}

/// For calls that nothing makes non-waiting: looks whether the descriptor is
/// ready and makes the call in a turn, so that no other stop-checked caller
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
    let event = Event { descriptor, events, peer: None };
    until_ready(record, &event, &mut || {
        // mutant: by-one-at-time
        let Some(_turn) = Turn::take(descriptor) else {
            // The other takes what is there; then the wait is a real one.
            std::thread::yield_now();
            return AGAIN;
        };
        // SAFETY: the caller's call.
        // mutant: accept-made-only-when-there
        if is_ready(descriptor, events) { unsafe { plain(number, args) } } else { AGAIN }
    })
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
