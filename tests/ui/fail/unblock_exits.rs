use std::io;
use std::net::{Shutdown, TcpStream};
use stopruntime::stoppable;

fn query(stream: &TcpStream, _: u8) -> io::Result<u8> {
    let _ = stream;
    Ok(1)
}

fn number() -> io::Result<u8> {
    Ok(1)
}

#[stoppable]
fn work(stream: &TcpStream) -> io::Result<()> {
    #[blocking(unblock = stream.shutdown(Shutdown::Both)?)]
    query(stream, 1)?;
    blocking!(unblock = stream.shutdown(Shutdown::Both), query(stream, number()?))?;
    #[blocking(unblock = blocking!(stream.flush()))]
    query(stream, 1)?;
    Ok(())
}

fn main() {}
