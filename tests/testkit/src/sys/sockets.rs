//! Sockets: datagrams to receive, streams that are full, listeners.

use super::streams::vectored;
use super::{Arranged, Case, FromWord, arranged, buffer, case, close, empty, fill};
use core::ptr::{null, null_mut};
use rustix::event::{PollFd, PollFlags, poll};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::Arc;
use stopruntime::{Stopped, sys};

/// A call on an end of a datagram pair; fed by a datagram.
fn receiving<R: 'static>(call: fn(i32) -> Result<R, Stopped>) -> Arranged
where
    i64: FromWord<R>,
{
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    arranged(
        move || call(ours.as_raw_fd()).map(i64::from_word),
        move || assert_eq!(theirs.send(b"x").unwrap(), 1),
    )
}

/// A call on a stream that takes no more; fed by emptying it.
fn sending<R: 'static>(call: fn(i32) -> Result<R, Stopped>) -> Arranged
where
    i64: FromWord<R>,
{
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (ours, theirs) = (OwnedFd::from(ours), Arc::new(OwnedFd::from(theirs)));
    fill(&ours);
    let other = Arc::clone(&theirs);
    arranged(move || call(ours.as_raw_fd()).map(i64::from_word), move || empty(&other))
        .keeping(theirs)
}

/// Calls with a message of one byte.
fn message<R>(call: impl FnOnce(*mut libc::mmsghdr) -> R) -> R {
    vectored(|vector| {
        // SAFETY: zeroed is a valid header.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        call(&raw mut header)
    })
}

fn accepting(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    arranged(
        move || call(listener.as_raw_fd()).map(close),
        // It may go again: it stays in the queue.
        move || drop(TcpStream::connect(address).unwrap()),
    )
}

/// A new socket each time, connected to a listener whose queue is full; fed by
/// an accept. A connection that a stopped call has left behind is the
/// listener's to find dead.
fn connecting() -> Arranged {
    let (listener, filler) = full_listener();
    let address = listener.local_addr().unwrap();
    let listener = Arc::new(listener);
    let other = Arc::clone(&listener);
    arranged(
        move || {
            let address = to_raw(address.port());
            let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            // SAFETY: a descriptor made just now, and nothing else owns it.
            let socket = unsafe {
                OwnedFd::from_raw_fd(libc::socket(
                    libc::AF_INET,
                    libc::SOCK_STREAM | libc::SOCK_CLOEXEC,
                    0,
                ))
            };
            // SAFETY: an address of this length.
            let result = unsafe {
                sys::connect_or_stop(socket.as_raw_fd(), (&raw const address).cast(), length)
            };
            result.map(i64::from)
        },
        move || {
            other.accept().unwrap();
            listen(&other, 8);
        },
    )
    .keeping((listener, filler))
}

/// A listener whose queue has no more room, and the connection that is in it.
///
/// # Panics
///
/// If the system has no socket left.
#[must_use]
pub fn full_listener() -> (TcpListener, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listen(&listener, 0);
    let filler = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    // Where it is made, the listener may not have it yet.
    poll(&mut [PollFd::new(&listener, PollFlags::IN)], None).unwrap();
    (listener, filler)
}

/// A queue of 0 has room for one connection (listen(2), Linux).
fn listen(listener: &TcpListener, queue: i32) {
    // SAFETY: two integers.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), queue) }, 0);
}

fn to_raw(port: u16) -> libc::sockaddr_in {
    // SAFETY: zeroed is a valid address.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::AF_INET as libc::sa_family_t;
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
    address
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("recv", || receiving(made!(|fd| sys::recv_or_stop(fd, buffer(), 1, 0)))).gives(1),
        case("recvfrom", || {
            receiving(made!(|fd| {
                sys::recvfrom_or_stop(fd, buffer(), 1, 0, null_mut(), null_mut())
            }))
        })
        .gives(1),
        case("recvmsg", || {
            receiving(made!(|fd| message(|one| {
                sys::recvmsg_or_stop(fd, &raw mut (*one).msg_hdr, 0)
            })))
        })
        .gives(1),
        case("recvmmsg", || {
            receiving(made!(|fd| message(|one| {
                sys::recvmmsg_or_stop(fd, one, 1, 0, null_mut())
            })))
        })
        .gives(1),
        case("send", || sending(made!(|fd| sys::send_or_stop(fd, buffer(), 1, 0)))).gives(1),
        case("sendto", || sending(made!(|fd| sys::sendto_or_stop(fd, buffer(), 1, 0, null(), 0))))
            .gives(1),
        case("sendmsg", || {
            sending(made!(|fd| message(|one| {
                sys::sendmsg_or_stop(fd, &raw const (*one).msg_hdr, 0)
            })))
        })
        .gives(1),
        case("sendmmsg", || {
            sending(made!(|fd| message(|one| sys::sendmmsg_or_stop(fd, one, 1, 0))))
        })
        .gives(1),
        case("accept", || accepting(made!(|fd| sys::accept_or_stop(fd, null_mut(), null_mut())))),
        case("accept4", || {
            accepting(made!(|fd| {
                sys::accept4_or_stop(fd, null_mut(), null_mut(), libc::SOCK_CLOEXEC)
            }))
        }),
        case("connect", connecting),
    ]
}
