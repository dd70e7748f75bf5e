//! connect(2).
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::look::is_nonblocking;
use super::spoiled::{Part, wait};
use super::wait::wait_until_ready;
use crate::kernel::given::given;
use crate::kernel::plain::plain;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_int;
use libc::{sa_family_t, sockaddr_storage};

/// connect(2). Of a Unix address it is the call itself, which has had no effect
/// if it is stopped.
///
/// Of other addresses a spoiled one does not end the wait, because the kernel
/// looks at it only once: the connection is started without waiting, then waited
/// for, then its outcome fetched (`SO_ERROR`). A stop leaves the attempt in
/// progress, as `EINTR` leaves a plain one: the socket is good for closing only.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn connect(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    const UNIX: sa_family_t = libc::AF_UNIX as sa_family_t;
    let [socket, address, length, ..] = args;
    let descriptor = socket as c_int;
    let has_family = (size_of::<sa_family_t>()..=size_of::<sockaddr_storage>()).contains(&length);
    // SAFETY: the caller's address, which begins with its family.
    let family = if has_family { unsafe { given::<sa_family_t>(address) } } else { None };
    match family {
        // SAFETY: the caller's address, which has this length.
        Some(UNIX) => unsafe { to_unix(record, [socket, address, length]) },
        Some(_) if waits(descriptor) => {
            // mutant: connect-does-not-wait
            set_nonblocking(descriptor, true);
            // SAFETY: the caller's call.
            let raw = unsafe { plain(libc::SYS_connect, args) };
            let outcome = if raw == -(libc::EINPROGRESS as isize) {
                connected(record, descriptor)
            } else {
                Ok(raw)
            };
            // mutant: socket-waits-again-afterwards
            set_nonblocking(descriptor, false);
            outcome
        }
        // SAFETY: the caller's call; it does not wait.
        _ => Ok(unsafe { plain(libc::SYS_connect, args) }),
    }
}

/// # Safety
///
/// The address is readable and fits a `sockaddr_storage`.
unsafe fn to_unix(
    record: &Record,
    [socket, address, length]: [usize; 3],
) -> Result<isize, Stopped> {
    // SAFETY: zeroed is an address; the caller's is copied into it.
    let mut copy: sockaddr_storage = unsafe { core::mem::zeroed() };
    // SAFETY: as this function.
    unsafe { (address as *const u8).copy_to_nonoverlapping((&raw mut copy).cast(), length) };
    let part = Part::all_ones(&raw mut copy.ss_family, libc::EINVAL);
    let args = [socket, &raw mut copy as usize, length, 0, 0, 0];
    // SAFETY: the caller's call, with a copy of its address.
    unsafe { wait(record, libc::SYS_connect, args, part) }
}

/// Whether a connection of this socket is waited for: datagrams have none. Their
/// sockets are the ones that others may be using before they are connected, and
/// these would see `O_NONBLOCK`.
fn waits(descriptor: c_int) -> bool {
    let kind = option(descriptor, libc::SO_TYPE);
    // mutant: datagrams-connect-at-once
    !matches!(kind, libc::SOCK_DGRAM | libc::SOCK_RAW) && !is_nonblocking(descriptor)
}

fn connected(record: &Record, descriptor: c_int) -> Result<isize, Stopped> {
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    let raw = wait_until_ready(record, &mut entry)?;
    Ok(if raw < 0 { raw } else { -(option(descriptor, libc::SO_ERROR) as isize) })
}

/// An option of the socket that is a number, 0 if it has none. getsockopt(2).
fn option(descriptor: c_int, option: c_int) -> c_int {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    let place = (&raw mut value).cast();
    // SAFETY: a place of the option's type and its length.
    unsafe { libc::getsockopt(descriptor, libc::SOL_SOCKET, option, place, &raw mut length) };
    value
}

fn set_nonblocking(descriptor: c_int, on: bool) {
    // SAFETY: operations on a number.
    unsafe {
        let flags = libc::fcntl(descriptor, libc::F_GETFL);
        let flags = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        libc::fcntl(descriptor, libc::F_SETFL, flags);
    }
}
