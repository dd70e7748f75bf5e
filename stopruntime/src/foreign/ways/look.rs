//! What a descriptor is, and whether it has something, asked without waiting.
//!
//! # Safety
//!
//! The invariant of this module: the calls ask about a number, and write to places of
//! our own.

#![allow(unsafe_code)]

use super::kernel::plain;
use core::mem::MaybeUninit;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Never waits, or not for others: files, directories, disks; and what is none.
    File,
    Socket,
    Pipe,
    /// Terminals and others.
    Device,
    /// What has no name: eventfd, timerfd, signalfd, inotify, epoll.
    Nameless,
}

pub(super) fn kind(descriptor: usize) -> Kind {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: a place for the answer.
    let raw = unsafe { plain(libc::SYS_fstat, [descriptor, stat.as_mut_ptr() as usize]) };
    // SAFETY: filled in if it succeeded.
    if raw < 0 { Kind::File } else { kind_of(unsafe { stat.assume_init() }.st_mode) }
}

fn kind_of(mode: libc::mode_t) -> Kind {
    match mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFDIR | libc::S_IFBLK | libc::S_IFLNK => Kind::File,
        libc::S_IFSOCK => Kind::Socket,
        libc::S_IFIFO => Kind::Pipe,
        libc::S_IFCHR => Kind::Device,
        _ => Kind::Nameless,
    }
}

/// Whether this path leads to a pipe.
pub(super) fn leads_to_pipe(directory: usize, path: usize) -> bool {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    let place = stat.as_mut_ptr() as usize;
    // SAFETY: a path that the kernel reads, and a place for the answer.
    let raw = unsafe { plain(libc::SYS_newfstatat, [directory, path, place, 0]) };
    // SAFETY: filled in if it succeeded.
    raw == 0 && kind_of(unsafe { stat.assume_init() }.st_mode) == Kind::Pipe
}

/// Whether poll(2) reports one of these events, or an error.
pub(super) fn is_ready(descriptor: usize, events: i16) -> bool {
    let mut entry = libc::pollfd { fd: descriptor as i32, events, revents: 0 };
    let mut none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let (entry, none) = (&raw mut entry as usize, &raw mut none as usize);
    // SAFETY: one entry and a time, which outlive the call.
    unsafe { plain(libc::SYS_ppoll, [entry, 1, none, 0, 0]) > 0 }
}

pub(super) fn is_nonblocking(descriptor: usize) -> bool {
    // SAFETY: a query on a number.
    let flags = unsafe { plain(libc::SYS_fcntl, [descriptor, libc::F_GETFL as usize]) };
    flags >= 0 && flags & libc::O_NONBLOCK as isize != 0
}

/// An option of a socket that is a number.
pub(super) fn option(socket: usize, name: i32) -> i32 {
    let (mut value, mut length) = (-1_i32, 4_u32);
    let places = [&raw mut value as usize, &raw mut length as usize];
    let args = [socket, libc::SOL_SOCKET as usize, name as usize, places[0], places[1]];
    // SAFETY: two places, which outlive the call.
    unsafe { plain(libc::SYS_getsockopt, args) };
    value
}

pub(super) fn is_connected(socket: usize) -> bool {
    let mut address = MaybeUninit::<libc::sockaddr_storage>::uninit();
    let mut length = size_of::<libc::sockaddr_storage>() as u32;
    let places = [address.as_mut_ptr() as usize, &raw mut length as usize];
    // SAFETY: two places, which outlive the call.
    unsafe { plain(libc::SYS_getpeername, [socket, places[0], places[1]]) == 0 }
}
