//! Making connections.

use crate::ext::Outcome;
use crate::ext::syscall;
use crate::scope;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Connects, stop-checked: `connect`. connect(2).
///
/// If it is stopped, there is no connection: the socket is closed, and the peer sees
/// at most a connection that ends at once. A name is resolved in a region of
/// [foreign code](crate::foreign()).
///
/// # Examples
///
/// ```
/// use std::net::{TcpListener, TcpStream};
/// use stopruntime::ext::ConnectOrStop;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let _stream = TcpStream::connect_or_stop(listener.local_addr()?)??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it connects to an address of this type",
    note = "`TcpStream` takes a socket address, `UnixStream` a path"
)]
pub trait ConnectOrStop<A>: Sized {
    /// Opens a connection; of several addresses to the first that answers.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; there is no connection.
    fn connect_or_stop(address: A) -> Outcome<Self>;
}

/// Connects within a time, stop-checked: `connect_timeout`.
///
/// # Examples
///
/// ```
/// use std::net::{TcpListener, TcpStream};
/// use std::time::Duration;
/// use stopruntime::ext::ConnectTimeoutOrStop;
///
/// let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
/// let limit = Duration::from_secs(1);
/// // Nothing listens there any more.
/// assert!(TcpStream::connect_timeout_or_stop(&address, limit).unwrap().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it connects",
    note = "`TcpStream` has a stop-checked `connect_timeout`"
)]
pub trait ConnectTimeoutOrStop: Sized {
    /// Connects to one address, within the time given.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; there is no connection.
    fn connect_timeout_or_stop(address: &SocketAddr, timeout: Duration) -> Outcome<Self>;
}

impl<A: ToSocketAddrs> ConnectOrStop<A> for TcpStream {
    fn connect_or_stop(address: A) -> Outcome<TcpStream> {
        let addresses = match crate::foreign(|| address.to_socket_addrs())? {
            Ok(addresses) => addresses,
            Err(error) => return scope::check().map(|()| Err(error)),
        };
        let none = "could not resolve to any addresses";
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, none);
        for address in addresses {
            match connect(Domain::for_address(address), &address.into())? {
                Ok(socket) => return Ok(Ok(socket.into())),
                Err(error) => last = error,
            }
        }
        Ok(Err(last))
    }
}

impl<P: AsRef<Path>> ConnectOrStop<P> for UnixStream {
    fn connect_or_stop(path: P) -> Outcome<UnixStream> {
        scope::check()?;
        match crate::ext::net::address::unix_path(path.as_ref()) {
            Ok(address) => {
                let socket = connect(Domain::UNIX, &address)?;
                Ok(socket.map(|socket| OwnedFd::from(socket).into()))
            }
            Err(error) => Ok(Err(error)),
        }
    }
}

fn connect(domain: Domain, address: &SockAddr) -> Outcome<Socket> {
    let socket = match Socket::new(domain, Type::STREAM, None) {
        Ok(socket) => socket,
        Err(error) => return Ok(Err(error)),
    };
    // mutant: stopped-connect-closes-socket
    Ok(syscall::connect(socket.as_raw_fd(), address)?.map(|()| socket))
}

impl ConnectTimeoutOrStop for TcpStream {
    fn connect_timeout_or_stop(address: &SocketAddr, timeout: Duration) -> Outcome<TcpStream> {
        scope::check()?;
        if timeout.is_zero() {
            let zero = "cannot set a 0 duration timeout";
            return Ok(Err(io::Error::new(io::ErrorKind::InvalidInput, zero)));
        }
        let deadline = Instant::now().checked_add(timeout);
        let started = || -> io::Result<(Socket, bool)> {
            let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            match socket.connect(&(*address).into()) {
                Ok(()) => Ok((socket, true)),
                Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
                    Ok((socket, false))
                }
                Err(error) => Err(error),
            }
        };
        let (socket, done) = match started() {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        if !done && let Err(error) = syscall::connected(socket.as_raw_fd(), deadline)? {
            return Ok(Err(error));
        }
        Ok(socket.set_nonblocking(false).map(|()| socket.into()))
    }
}
