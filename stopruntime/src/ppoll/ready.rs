//! Attempts that do not wait, and the wait between them.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::mask;
use super::{INTERRUPTED, is_nonblocking, is_ready, plain, wait_one};
use crate::runtime::futex::timespec;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

pub(super) const AGAIN: isize = -(libc::EAGAIN as isize);

/// What a call waits for.
pub(super) struct Event {
    pub(super) descriptor: c_int,
    pub(super) events: i16,
    /// Has to be ready as well: the peer's side of a datagram.
    pub(super) peer: Option<OwnedFd>,
}

/// Makes attempts until one does not say `EAGAIN`, waiting in between; keeps
/// the descriptor's own time-out and non-blocking mode.
pub(super) fn until_ready(
    record: &Record,
    event: &Event,
    attempt: &mut dyn FnMut() -> isize,
) -> Result<isize, Stopped> {
    let Event { descriptor, events, .. } = *event;
    let mut raw = attempt();
    // mutant: socket-does-not-wait-does-not
    if raw != AGAIN || is_nonblocking(descriptor) {
        return Ok(raw);
    }
    let deadline = timeout_of(descriptor, events).map(|timeout| Instant::now() + timeout);
    let mut edge = None;
    while raw == AGAIN {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(AGAIN);
        }
        // Of the sender's own room and its peer's, wait for the one that lacks:
        // the other would end the wait at once.
        let lacking = match &event.peer {
            // mutant: sender-waits-for-room-at
            Some(peer) if is_ready(descriptor, events) => peer.as_raw_fd(),
            _ => descriptor,
        };
        let watched = edge.as_ref().map_or(lacking, AsRawFd::as_raw_fd);
        let happened = match wait(record, watched, events, left)? {
            Ok(happened) => happened,
            Err(error) => return Ok(error),
        };
        if let Some(epoll) = &edge {
            take_off(epoll);
        }
        raw = attempt();
        let receives = events & libc::POLLIN != 0;
        // mutant: socket-shut-at-end
        if raw == AGAIN && receives && happened & libc::POLLRDHUP != 0 {
            // The end, which only a call that waits is told as 0 (recv(2)).
            return Ok(0);
        }
        let error_alone = happened == libc::POLLERR;
        // mutant: entry-in-error-queue-wakes
        if raw == AGAIN && error_alone && edge.is_none() {
            // An entry in the error queue: ready until somebody takes it, and
            // not what this call takes. Wait for the next change instead.
            edge = match edge_of(descriptor, events) {
                Ok(edge) => Some(edge),
                Err(error) => return Ok(error),
            };
            // For what came before there was an edge to see it by.
            raw = attempt();
        }
    }
    Ok(raw)
}

/// What happened, nothing if the time is over or a signal came; or the negated
/// errno of a wait that cannot be made.
fn wait(
    record: &Record,
    descriptor: c_int,
    events: i16,
    left: Option<Duration>,
) -> Result<Result<i16, isize>, Stopped> {
    let asked = if events & libc::POLLIN != 0 { events | libc::POLLRDHUP } else { events };
    let mut entry = libc::pollfd { fd: descriptor, events: asked, revents: 0 };
    let (left, mask) = (left.map(timespec), mask::open_mask());
    let raw = wait_one(record, &mut entry, left, &mask)?;
    Ok(if raw >= 0 || raw == INTERRUPTED { Ok(entry.revents) } else { Err(raw) })
}

/// An epoll instance that is readable once after each change of the descriptor
/// (`EPOLLET`, epoll(7)), until the change is taken off; or the negated errno.
fn edge_of(descriptor: c_int, events: i16) -> Result<OwnedFd, isize> {
    let done = |raw: isize| if raw >= 0 { Ok(raw as c_int) } else { Err(raw) };
    let create = [libc::EPOLL_CLOEXEC as usize, 0, 0, 0, 0, 0];
    // SAFETY: no pointers.
    let raw = done(unsafe { plain(libc::SYS_epoll_create1, create) })?;
    // SAFETY: made just now, no other owner's.
    let epoll = unsafe { OwnedFd::from_raw_fd(raw) };
    let kinds = u32::from(events.cast_unsigned()) | libc::EPOLLRDHUP as u32 | libc::EPOLLET as u32;
    let mut event = libc::epoll_event { events: kinds, u64: 0 };
    let (add, event) = (libc::EPOLL_CTL_ADD as usize, &raw mut event as usize);
    // SAFETY: the event outlives the call.
    done(unsafe {
        plain(libc::SYS_epoll_ctl, [raw as usize, add, descriptor as usize, event, 0, 0])
    })?;
    // The state it begins with is no change.
    take_off(&epoll);
    Ok(epoll)
}

fn take_off(epoll: &OwnedFd) {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: the event outlives the call.
    unsafe { libc::epoll_wait(epoll.as_raw_fd(), &raw mut event, 1, 0) };
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
    let timeout = Duration::from_secs(u64::try_from(value.tv_sec).unwrap_or(0))
        + Duration::from_micros(u64::try_from(value.tv_usec).unwrap_or(0));
    // mutant: socket-keeps-time-out
    (result == 0 && !timeout.is_zero()).then_some(timeout)
}
