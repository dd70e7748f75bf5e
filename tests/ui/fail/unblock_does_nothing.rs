use std::io;
use std::net::{Shutdown, TcpStream};
use stopruntime::stoppable;

fn query(stream: &TcpStream) -> io::Result<u8> {
    let _ = stream;
    Ok(1)
}

#[stoppable]
fn work(stream: &TcpStream) -> io::Result<()> {
    #[blocking(unblock = || stream.shutdown(Shutdown::Both))]
    query(stream)?;
    #[blocking(unblock = stream)]
    query(stream)?;
    Ok(())
}

fn main() {}
