//! Waiting for descriptors.

use super::{Arranged, Case, FromWord, arranged, case, pipe, put};
use core::ptr::{null, null_mut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use stopruntime::{Stopped, sys};

pub(super) const FOR_EVER: i32 = -1;

/// A wait for the reading end of a pipe.
pub(super) fn waiting(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let (reader, writer) = pipe();
    let writer = Arc::new(writer);
    let other = Arc::clone(&writer);
    arranged(move || call(reader.as_raw_fd()).map(i64::from_word), move || put(&other))
        .keeping(writer)
}

/// Calls with one entry.
pub(super) fn entry<R>(fd: i32, call: impl FnOnce(*mut libc::pollfd) -> R) -> R {
    let mut entry = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    call(&raw mut entry)
}

/// Calls with a set of one descriptor.
pub(super) fn set<R>(fd: i32, call: impl FnOnce(*mut libc::fd_set) -> R) -> R {
    // SAFETY: zeroed is an empty set.
    let mut set: libc::fd_set = unsafe { std::mem::zeroed() };
    // SAFETY: a small number.
    unsafe { libc::FD_SET(fd, &raw mut set) };
    call(&raw mut set)
}

/// Calls with an instance that watches the descriptor, and a place for one
/// event.
pub(super) fn epoll<R>(fd: i32, wait: impl FnOnce(i32, *mut libc::epoll_event) -> R) -> R {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: a valid event, and a descriptor made just now.
    let epoll = unsafe {
        let epoll = OwnedFd::from_raw_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC));
        assert_eq!(libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event), 0);
        epoll
    };
    wait(epoll.as_raw_fd(), &raw mut event)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("poll", || waiting(made!(|fd| entry(fd, |one| sys::poll_or_stop(one, 1, FOR_EVER)))))
            .gives(1),
        case("ppoll", || {
            waiting(made!(|fd| entry(fd, |one| sys::ppoll_or_stop(one, 1, null(), null()))))
        })
        .gives(1),
        case("select", || {
            waiting(made!(|fd| set(fd, |set| {
                sys::select_or_stop(fd + 1, set, null_mut(), null_mut(), null_mut())
            })))
        })
        .gives(1),
        case("pselect", || {
            waiting(made!(|fd| set(fd, |set| {
                sys::pselect_or_stop(fd + 1, set, null_mut(), null_mut(), null(), null())
            })))
        })
        .gives(1),
        case("epoll_wait", || {
            waiting(made!(|fd| epoll(fd, |epoll, event| {
                sys::epoll_wait_or_stop(epoll, event, 1, FOR_EVER)
            })))
        })
        .gives(1),
        case("epoll_pwait", || {
            waiting(made!(|fd| epoll(fd, |epoll, event| {
                sys::epoll_pwait_or_stop(epoll, event, 1, FOR_EVER, null())
            })))
        })
        .gives(1),
        case("epoll_pwait2", || {
            waiting(made!(|fd| epoll(fd, |epoll, event| {
                sys::epoll_pwait2_or_stop(epoll, event, 1, null(), null())
            })))
        })
        .gives(1),
    ]
}
