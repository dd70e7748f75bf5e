//! What the attribute sees through to find the one blocking call.
#![deny(warnings)]

use std::io::{self, BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::thread;
use std::time::Duration;

use stopruntime::stoppable;

#[derive(Debug)]
struct Failed(#[allow(dead_code)] io::Error);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<stopruntime::Stopped> for Failed {
    fn from(stopped: stopruntime::Stopped) -> Self {
        Self(stopped.into())
    }
}

fn number(_: &[u8]) -> usize {
    1
}

#[stoppable]
fn chains(stream: &mut UnixStream, child: &mut Child, socket: &UdpSocket) -> Result<(), Failed> {
    let mut buffer = [0; 8];
    #[blocking]
    stream.read(&mut buffer).unwrap();
    #[blocking]
    stream.read(&mut buffer).expect("read");
    #[blocking]
    let _length = stream.read(&mut buffer).map_err(Failed)?;
    #[blocking]
    let _length = stream.read(&mut buffer).map_err(|error| Failed(error))?;
    #[blocking]
    let _length = stream.read(&mut buffer).ok().unwrap_or_default();
    #[blocking]
    let _length = stream.read(&mut buffer).unwrap_or(0) as u64;
    #[blocking]
    let _length = &stream.read(&mut buffer)?;
    #[blocking]
    let _length = -(stream.read(&mut buffer)? as i64);
    #[blocking]
    let _length = (stream.read(&mut buffer))?;
    #[blocking]
    let _length = { stream.read(&mut buffer) }?;
    #[blocking]
    let _some = Some(stream.read(&mut buffer)?);
    #[blocking]
    let _pair = (1, stream.read(&mut buffer)?);
    #[blocking]
    let _array = [stream.read(&mut buffer)?; 2];
    #[blocking]
    let _is_empty = stream.read(&mut buffer)? == 0;
    #[blocking]
    let _sender = socket.recv_from(&mut buffer)?.1;
    #[blocking]
    let _port = socket.recv_from(&mut buffer)?.1.port();
    #[blocking]
    let _success = child.wait()?.success();
    #[blocking]
    let _byte = [1, 2, 3][stream.read(&mut buffer)?];
    #[blocking]
    let _unknown_inside = stream.read(&mut vec![0; number(&[1])])?;
    #[blocking]
    let _ignored = stream.read(&mut buffer).is_ok();
    #[blocking]
    thread::sleep(Duration::from_millis(1));
    #[blocking]
    let _stream = TcpStream::connect(("localhost", 80)).map_err(io::Error::other)?;
    #[blocking]
    let _stream = std::net::TcpStream::connect_timeout(
        &"127.0.0.1:1".parse().unwrap(),
        Duration::from_secs(1),
    )?;
    #[blocking]
    let _length = Read::read(stream, &mut buffer)?;
    #[blocking]
    let _length = io::Read::read(stream, &mut buffer)?;
    #[blocking]
    let _length = std::io::Read::read(stream, &mut buffer)?;
    #[blocking]
    let _length = <UnixStream as Read>::read(stream, &mut buffer)?;
    #[blocking]
    let _length = UdpSocket::recv(socket, &mut buffer)?;
    Ok(())
}

#[stoppable]
fn unsafe_chain(stream: &mut UnixStream) -> io::Result<()> {
    unsafe fn stream_of(stream: &mut UnixStream) -> &mut UnixStream {
        stream
    }
    // SAFETY: an example.
    #[blocking]
    let _length = unsafe { stream_of(stream).read(&mut [0]) }?;
    Ok(())
}

#[stoppable]
fn receivers(streams: &mut [TcpStream], listener: &TcpListener) -> io::Result<()> {
    let mut line = String::new();
    #[blocking]
    streams[0].read_exact(&mut [0; 4])?;
    #[blocking]
    (&*listener).accept()?.0.set_nodelay(true)?;
    #[blocking]
    streams.first_mut().unwrap().read(&mut [0])?;
    #[blocking]
    (&streams[0]).read(&mut [0])?;
    #[blocking]
    BufReader::new(&streams[0]).read_line(&mut line)?;
    #[blocking]
    io::stdin().lock().read_line(&mut line)?;
    #[blocking]
    io::stdin().read_line(&mut line)?;
    Ok(())
}

fn main() {
    let _ = (chains, unsafe_chain, receivers);
}
