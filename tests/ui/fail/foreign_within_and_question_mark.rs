use std::io;
use std::net::TcpStream;
use std::time::Duration;
use stopruntime::stoppable;

fn query(stream: &TcpStream, _: u8) -> io::Result<u8> {
    let _ = stream;
    Ok(1)
}

fn number() -> Option<u8> {
    Some(1)
}

#[stoppable]
fn work(stream: &TcpStream) -> io::Result<u8> {
    blocking!(foreign, within = Duration::from_secs(1), query(stream, number().ok_or(io::ErrorKind::Other)?))
}

fn main() {}
