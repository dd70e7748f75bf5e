//! Accepting connections.

use crate::ext::Outcome;
use crate::ext::net::address;
use crate::ext::sealed::Sealed;
use crate::ext::syscall;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener, UnixStream};

/// Accepts a connection, stop-checked: `accept`. accept(2).
///
/// If it is stopped, it has accepted nothing: the connection stays in the queue.
///
/// # Examples
///
/// ```
/// use std::net::TcpListener;
/// use stopruntime::{Stopper, ext::AcceptOrStop};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// Stopper::current().request_stop();
/// assert!(listener.accept_or_stop().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it accepts",
    label = "this call has no stop-checked form",
    note = "`TcpListener` and `UnixListener` have one; for other types with a file descriptor use `#[blocking(readable)]`"
)]
pub trait AcceptOrStop {
    /// A connection and the address of its peer.
    type Accepted;

    /// Accepts one connection.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was accepted.
    fn accept_or_stop(&self) -> Outcome<Self::Accepted>;
}

impl AcceptOrStop for TcpListener {
    type Accepted = (TcpStream, SocketAddr);

    #[inline(always)]
    fn accept_or_stop(&self) -> Outcome<Self::Accepted> {
        let accepted = syscall::accept(self.as_raw_fd())?;
        Ok(accepted.and_then(|(new, from)| Ok((new.into(), address::internet(&from)?))))
    }
}

impl AcceptOrStop for UnixListener {
    type Accepted = (UnixStream, UnixAddr);

    #[inline(always)]
    fn accept_or_stop(&self) -> Outcome<Self::Accepted> {
        let accepted = syscall::accept(self.as_raw_fd())?;
        Ok(accepted.and_then(|(new, from)| Ok((new.into(), address::unix(&from)?))))
    }
}

/// Gives `incoming` a stop-checked `next`, for `#[blocking] for` loops.
///
/// The trait is [sealed](crate::ext).
///
/// # Examples
///
/// ```
/// use std::io;
/// use std::net::TcpListener;
/// use stopruntime::stoppable;
///
/// #[stoppable]
/// fn serve(listener: &TcpListener) -> io::Result<()> {
///     #[blocking]
///     for stream in listener.incoming() {
///         drop(stream?);
///     }
///     Ok(()) // stopped
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the next connection",
    note = "`TcpListener` and `UnixListener` have a stop-checked form"
)]
pub trait IncomingOrStop: AcceptOrStop + Sealed {
    /// What the iterator yields.
    type Stream;

    #[doc(hidden)]
    fn incoming_or_stop(&self) -> Incoming<'_, Self> {
        Incoming(self)
    }

    #[doc(hidden)]
    fn stream(accepted: Self::Accepted) -> Self::Stream;
}

impl IncomingOrStop for TcpListener {
    type Stream = TcpStream;

    fn stream((stream, _): Self::Accepted) -> TcpStream {
        stream
    }
}

impl IncomingOrStop for UnixListener {
    type Stream = UnixStream;

    fn stream((stream, _): Self::Accepted) -> UnixStream {
        stream
    }
}

/// Goes over the connections of a listener, and never ends by itself.
#[derive(Debug)]
pub struct Incoming<'a, L: ?Sized>(&'a L);

impl<L: IncomingOrStop + ?Sized> Incoming<'_, L> {
    #[inline(always)]
    pub(crate) fn next_or_stop(&mut self) -> Outcome<L::Stream> {
        Ok(self.0.accept_or_stop()?.map(L::stream))
    }
}
