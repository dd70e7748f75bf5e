//! A TCP connection.

use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use stopruntime::stoppable;

use crate::source::Inlet;
use crate::stream::Framer;

/// Takes the messages of a connection until the sender closes it, or the stop.
pub(crate) fn serve(stream: &TcpStream, inlet: &Inlet<'_>) -> io::Result<()> {
    let mut framer = Framer::default();
    let closed = receive(stream, &mut framer, inlet);
    match framer.last_line() {
        Some(line) if matches!(closed, Ok(true)) => inlet.take(line)?,
        _ => inlet.leave_out(framer.rest()),
    }
    closed.map(drop)
}

/// Receives until there is no more to come; whether the sender has closed.
#[stoppable(break)]
fn receive(mut stream: &TcpStream, framer: &mut Framer, inlet: &Inlet<'_>) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    while let length @ 1.. = blocking!(stream.read(&mut buffer))? {
        framer.feed(&buffer[..length], |message| inlet.take(message))?;
    }
    // What has arrived is acknowledged, so the sender holds it for delivered.
    let mut arrived = stream.take(unread(stream)?);
    while let length @ 1.. = arrived.read(&mut buffer)? {
        framer.feed(&buffer[..length], |message| inlet.take(message))?;
    }
    // With more in the queue than that the connection is reset when it is
    // dropped: the sender learns that it was not read.
    stream.set_nonblocking(true)?;
    Ok(matches!(stream.peek(&mut [0]), Ok(0)))
}

/// How many bytes have arrived and are not read. tcp(7), SIOCINQ.
fn unread(stream: &TcpStream) -> io::Result<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open, and FIONREAD writes one int.
    let outcome = unsafe { libc::ioctl(stream.as_raw_fd(), libc::FIONREAD, &raw mut count) };
    if outcome == 0 { Ok(u64::from(count.unsigned_abs())) } else { Err(io::Error::last_os_error()) }
}
