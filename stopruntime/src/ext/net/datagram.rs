//! Sending and receiving on sockets.

use crate::ext::Outcome;
use crate::ext::net::address;
use crate::ext::syscall;
use crate::scope;
use core::ffi::c_int;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::path::Path;

const PLAIN: c_int = 0;

/// Receives a datagram, stop-checked: `recv`. recv(2).
///
/// If it is stopped, it has taken nothing: the datagram stays in the queue.
///
/// # Examples
///
/// ```
/// use std::os::unix::net::UnixDatagram;
/// use stopruntime::{Stopper, ext::RecvOrStop};
///
/// let (socket, peer) = UnixDatagram::pair()?;
/// peer.send(b"data")?;
/// Stopper::current().request_stop();
/// assert!(socket.recv_or_stop(&mut [0; 8]).is_err());
/// assert_eq!(socket.recv(&mut [0; 8])?, 4); // still there
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for data",
    label = "this call has no stop-checked form",
    note = "`UdpSocket` and `UnixDatagram` have one; for other types with a file descriptor use `#[blocking(readable)]`"
)]
pub trait RecvOrStop {
    /// Receives one datagram from the connected peer: its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was taken.
    fn recv_or_stop(&self, buffer: &mut [u8]) -> Outcome<usize>;
}

/// Receives and leaves the data in place, stop-checked: `peek`. recv(2) with `MSG_PEEK`.
///
/// # Examples
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::ext::PeekOrStop;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.connect(socket.local_addr()?)?;
/// socket.send(b"data")?;
/// assert_eq!(socket.peek_or_stop(&mut [0; 8])??, 4);
/// assert_eq!(socket.recv(&mut [0; 8])?, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for data",
    note = "`UdpSocket` and `TcpStream` have a stop-checked `peek`"
)]
pub trait PeekOrStop {
    /// Receives without taking: the number of bytes.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested.
    fn peek_or_stop(&self, buffer: &mut [u8]) -> Outcome<usize>;
}

/// Receives a datagram and its sender, stop-checked: `recv_from`. recvfrom(2).
///
/// If it is stopped, it has taken nothing: the datagram stays in the queue.
///
/// # Examples
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::ext::RecvFromOrStop;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.send_to(b"data", socket.local_addr()?)?;
/// let (length, sender) = socket.recv_from_or_stop(&mut [0; 8])??;
/// assert_eq!((length, sender), (4, socket.local_addr()?));
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for data",
    label = "this call has no stop-checked form",
    note = "`UdpSocket` and `UnixDatagram` have one; for other types with a file descriptor use `#[blocking(readable)]`"
)]
pub trait RecvFromOrStop {
    /// The sender's address.
    type Address;

    /// Receives one datagram: its length in bytes and its sender.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was taken.
    fn recv_from_or_stop(&self, buffer: &mut [u8]) -> Outcome<(usize, Self::Address)>;
}

/// Receives and leaves the data in place, stop-checked: `peek_from`. recvfrom(2) with `MSG_PEEK`.
///
/// # Examples
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::ext::PeekFromOrStop;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.send_to(b"data", socket.local_addr()?)?;
/// let (length, _sender) = socket.peek_from_or_stop(&mut [0; 8])??;
/// assert_eq!(length, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for data",
    note = "`UdpSocket` has a stop-checked `peek_from`"
)]
pub trait PeekFromOrStop {
    /// Receives without taking: the number of bytes and the sender.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested.
    fn peek_from_or_stop(&self, buffer: &mut [u8]) -> Outcome<(usize, SocketAddr)>;
}

/// Sends a datagram, stop-checked: `send`. send(2).
///
/// If it is stopped, it has sent nothing.
///
/// # Examples
///
/// ```
/// use std::os::unix::net::UnixDatagram;
/// use stopruntime::ext::SendOrStop;
///
/// let (socket, peer) = UnixDatagram::pair()?;
/// socket.send_or_stop(b"data")??;
/// assert_eq!(peer.recv(&mut [0; 8])?, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it sends",
    label = "this call has no stop-checked form",
    note = "`UdpSocket` and `UnixDatagram` have one; for other types with a file descriptor use `#[blocking(writable)]`"
)]
pub trait SendOrStop {
    /// Sends one datagram to the connected peer: the number of bytes sent.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was sent.
    fn send_or_stop(&self, data: &[u8]) -> Outcome<usize>;
}

/// Sends a datagram to an address, stop-checked: `send_to`. sendto(2).
///
/// If it is stopped, it has sent nothing. A name is resolved first, in a region of
/// [foreign code](crate::foreign()); in one's own [`ToSocketAddrs`] if its iterator is one
/// that is to be dropped, as a vector's.
///
/// # Examples
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::ext::SendToOrStop;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let sent = socket.send_to_or_stop(b"data", socket.local_addr()?)??;
/// assert_eq!(sent, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it sends to an address of this type",
    note = "`UdpSocket` takes a socket address, `UnixDatagram` a path"
)]
pub trait SendToOrStop<A> {
    /// Sends one datagram: the number of bytes sent.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was sent.
    fn send_to_or_stop(&self, data: &[u8], address: A) -> Outcome<usize>;
}

macro_rules! connected {
    ($($socket:ty),*) => {$(
        impl RecvOrStop for $socket {
            #[inline(always)]
            fn recv_or_stop(&self, buffer: &mut [u8]) -> Outcome<usize> {
                syscall::recv(self.as_raw_fd(), buffer, PLAIN)
            }
        }

        impl SendOrStop for $socket {
            #[inline(always)]
            fn send_or_stop(&self, data: &[u8]) -> Outcome<usize> {
                syscall::send(self.as_raw_fd(), data)
            }
        }
    )*};
}
connected!(UdpSocket, UnixDatagram);

macro_rules! peeked {
    ($($socket:ty),*) => {$(
        impl PeekOrStop for $socket {
            #[inline(always)]
            fn peek_or_stop(&self, buffer: &mut [u8]) -> Outcome<usize> {
                syscall::recv(self.as_raw_fd(), buffer, libc::MSG_PEEK)
            }
        }
    )*};
}
peeked!(UdpSocket, TcpStream);

impl RecvFromOrStop for UdpSocket {
    type Address = SocketAddr;

    #[inline(always)]
    fn recv_from_or_stop(&self, buffer: &mut [u8]) -> Outcome<(usize, SocketAddr)> {
        syscall::recv_from(self.as_raw_fd(), buffer, PLAIN, address::internet)
    }
}

impl RecvFromOrStop for UnixDatagram {
    type Address = UnixAddr;

    #[inline(always)]
    fn recv_from_or_stop(&self, buffer: &mut [u8]) -> Outcome<(usize, UnixAddr)> {
        syscall::recv_from(self.as_raw_fd(), buffer, PLAIN, address::unix)
    }
}

impl PeekFromOrStop for UdpSocket {
    #[inline(always)]
    fn peek_from_or_stop(&self, buffer: &mut [u8]) -> Outcome<(usize, SocketAddr)> {
        syscall::recv_from(self.as_raw_fd(), buffer, libc::MSG_PEEK, address::internet)
    }
}

impl<A: ToSocketAddrs> SendToOrStop<A> for UdpSocket {
    fn send_to_or_stop(&self, data: &[u8], address: A) -> Outcome<usize> {
        let resolve = || {
            address.to_socket_addrs()?.next().ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to")
            })
        };
        // Of std's types those that look a name up give a vector, the others nothing that is
        // to be dropped.
        let first = if core::mem::needs_drop::<A::Iter>() {
            let first = crate::foreign(resolve)?;
            // mutant: datagram-to-stopped-name-is-stopped
            if first.is_err() {
                scope::check()?;
            }
            first
        } else {
            resolve()
        };
        send_to(self.as_raw_fd(), data, first.map(Into::into))
    }
}

impl<P: AsRef<Path>> SendToOrStop<P> for UnixDatagram {
    fn send_to_or_stop(&self, data: &[u8], path: P) -> Outcome<usize> {
        send_to(self.as_raw_fd(), data, address::unix_path(path.as_ref()))
    }
}

fn send_to(
    descriptor: RawFd,
    data: &[u8],
    address: io::Result<socket2::SockAddr>,
) -> Outcome<usize> {
    match address {
        Ok(address) => syscall::send_to(descriptor, data, &address),
        Err(error) => Ok(Err(error)),
    }
}
