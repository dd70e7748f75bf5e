//! Waits for readiness, and sleeps.

use super::{ended, result};
use crate::kit::{CANCELED, is_dispatch};
use std::io::pipe;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

pub(super) fn poll() {
    let (reader, _writer) = pipe().unwrap();
    let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    let mut polled = || result(unsafe { libc::poll(&raw mut entry, 1, 0) } as isize);
    // A tick that is pending ends it, as any signal does.
    let is_interrupted = |found: &_| !is_dispatch() && *found == Err(libc::EINTR);
    let found = std::iter::repeat_with(&mut polled).find(|found| !is_interrupted(found));
    assert_eq!(found, Some(Ok(0)), "no time");
    let slept = loop {
        // SAFETY: no entries.
        match result(unsafe { libc::poll(std::ptr::null_mut(), 0, 100_000) } as isize) {
            // Once, and by the timer alone.
            Err(libc::EINTR) if !is_dispatch() => {}
            slept => break slept,
        }
    };
    assert_eq!(slept, Ok(0));
    // A terminal.
    let (mut near, mut far) = (-1, -1);
    // SAFETY: two places, and nothing else is asked for.
    unsafe {
        let (none, no_mode, no_size) =
            (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
        assert_eq!(libc::openpty(&raw mut near, &raw mut far, none, no_mode, no_size), 0);
    }
    // SAFETY: new descriptors.
    let (near, far) = unsafe { (OwnedFd::from_raw_fd(near), OwnedFd::from_raw_fd(far)) };
    let poll = || {
        let mut entry = libc::pollfd { fd: far.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry.
        result(unsafe { libc::poll(&raw mut entry, 1, -1) } as isize)
    };
    assert_eq!(ended(poll), CANCELED);
    drop(near);
}

pub(super) fn select() {
    let (reader, _writer) = pipe().unwrap();
    let call = || {
        // SAFETY: a set with room for this descriptor.
        unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            libc::FD_SET(reader.as_raw_fd(), &raw mut set);
            let (count, none) = (reader.as_raw_fd() + 1, std::ptr::null_mut());
            let forever = std::ptr::null_mut();
            result(libc::select(count, &raw mut set, none, none, forever) as isize)
        }
    };
    if is_dispatch() {
        assert_eq!(call(), Ok(1));
    } else {
        assert_eq!(ended(call), CANCELED);
    }
}

pub(super) fn epoll() {
    if !is_dispatch() {
        return;
    }
    let (reader, _writer) = pipe().unwrap();
    // SAFETY: a new instance, and events in places of this function's.
    unsafe {
        let instance = OwnedFd::from_raw_fd(libc::epoll_create1(0));
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 77 };
        let (number, add) = (instance.as_raw_fd(), libc::EPOLL_CTL_ADD);
        assert_eq!(libc::epoll_ctl(number, add, reader.as_raw_fd(), &raw mut event), 0);
        let mut found = libc::epoll_event { events: 0, u64: 0 };
        assert_eq!(libc::epoll_wait(number, &raw mut found, 1, -1), 1);
        let expected = libc::EPOLLIN | libc::EPOLLERR | libc::EPOLLHUP;
        assert_eq!(({ found.events }, { found.u64 }), (expected.cast_unsigned(), 77));
    }
}

pub(super) fn sleep() {
    let start = Instant::now();
    for _ in 0..20 {
        let hour = libc::timespec { tv_sec: 3600, tv_nsec: 0 };
        // SAFETY: a time.
        let slept = unsafe { libc::nanosleep(&raw const hour, std::ptr::null_mut()) };
        assert_eq!(slept, 0);
    }
    // The first eight at once, the others after a millisecond.
    assert!(!is_dispatch() || start.elapsed() >= Duration::from_millis(12), "it spins");
}
