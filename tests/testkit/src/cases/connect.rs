//! Connecting to a listener whose queue is full.

use super::ends::{Shared, nonblocking};
use super::stream::keeping;
use super::{AN_HOUR, Case, Fixture, Outcome, expect};
use crate::Directory;
use core::ffi::c_long;
use libc::{SYS_connect, SYS_ppoll};
use rustix::event::{PollFd, PollFlags, poll};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use stopruntime::Stopped;
use stopruntime::ext::{ConnectOrStop, ConnectTimeoutOrStop};

pub(super) const CASES: &[Case] = &[
    Case::new("TcpStream::connect", &[SYS_connect], || to_internet(TcpStream::connect_or_stop))
        .on_ppoll(&[SYS_ppoll]),
    Case::new("TcpStream::connect_timeout", POLL_FOR, || {
        to_internet(|address| TcpStream::connect_timeout_or_stop(&address, AN_HOUR))
    })
    .on_ppoll(&[SYS_ppoll]),
    Case::new("UnixStream::connect", &[SYS_connect], || {
        let directory = Directory::new()?;
        let path = directory.join("socket");
        let (marked, plain) = (path.clone(), path.clone());
        let fixture = connecting(
            &SockAddr::unix(&path)?,
            move || UnixStream::connect_or_stop(&marked),
            move || UnixStream::connect(&plain),
        )?;
        Ok(keeping(fixture, directory))
    }),
];

/// What waits for a time in a window: poll, where there is one.
#[cfg(target_arch = "x86_64")]
const POLL_FOR: &[c_long] = &[libc::SYS_poll];
#[cfg(not(target_arch = "x86_64"))]
const POLL_FOR: &[c_long] = &[libc::SYS_ppoll];

fn to_internet(
    call: fn(SocketAddr) -> Result<io::Result<TcpStream>, Stopped>,
) -> io::Result<Fixture> {
    // A port that is free: bound for a moment, not taken by others meanwhile
    // because the kernel hands them out in turn.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address.into())?;
    let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    connecting_to(socket, move || call(address), move || TcpStream::connect(address))
}

fn connecting<S: Send + 'static>(
    address: &SockAddr,
    call: impl FnMut() -> Result<io::Result<S>, Stopped> + Send + 'static,
    plain: impl FnOnce() -> io::Result<S> + Send + 'static,
) -> io::Result<Fixture> {
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    socket.bind(address)?;
    connecting_to(socket, call, plain)
}

/// The queue of the socket is filled; the feed empties it.
fn connecting_to<S: Send + 'static>(
    listener: Socket,
    mut call: impl FnMut() -> Result<io::Result<S>, Stopped> + Send + 'static,
    plain: impl FnOnce() -> io::Result<S> + Send + 'static,
) -> io::Result<Fixture> {
    // A backlog of 0 has room for one connection (listen(2), Linux).
    listener.listen(0)?;
    let address = listener.local_addr()?;
    let filler = Socket::new(address.domain(), Type::STREAM, None)?;
    filler.connect(&address)?;
    poll(&mut [PollFd::new(&listener, PollFlags::IN)], None)?;

    let made = Shared::new(None);
    let (made_plainly, seen) = (made.clone(), made.clone());
    let listener = Shared::new(listener);
    let queue = listener.clone();
    Ok(Fixture {
        marked: Box::new(move || {
            Outcome::of(call(), |stream| {
                *made.lock() = Some(stream);
                Ok("connected".into())
            })
        }),
        feed: Box::new(move || {
            let listener = listener.lock();
            listener.accept()?;
            // Room also beside a connection that a stopped call has left behind.
            listener.listen(8)?;
            Ok("connected".into())
        }),
        plain: Box::new(move |_| {
            *made_plainly.lock() = Some(plain()?);
            Ok("connected".into())
        }),
        verify: Box::new(move |_| {
            drop(filler);
            let stream = seen.lock().take();
            let mut queue = queue.lock();
            let mut alive = connections(&mut queue)?;
            // Where a connection is made, the peer may not have it yet: its end learns of
            // it by the answer to the answer.
            while stream.is_some() && alive == 0 {
                poll(&mut [PollFd::new(&*queue, PollFlags::IN)], None)?;
                alive = connections(&mut queue)?;
            }
            expect(stream.is_some() && alive == 1, || format!("the peer has {alive} connections"))
        }),
        keep: Box::new(()),
    })
}

/// How many of the queued connections have not ended.
fn connections(listener: &mut Socket) -> io::Result<usize> {
    let mut alive = 0;
    nonblocking(listener, |listener| {
        loop {
            match listener.accept() {
                Ok((connection, _)) => {
                    connection.set_nonblocking(true)?;
                    let read = connection.recv(&mut [MaybeUninit::uninit()]);
                    let waits = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
                    alive += usize::from(waits);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(alive),
                Err(error) => return Err(error),
            }
        }
    })
}
