use std::io;
use std::net::TcpStream;
use stopruntime::stoppable;

fn query(stream: &TcpStream) -> io::Result<u8> {
    let _ = stream;
    Ok(1)
}

#[stoppable]
fn work(stream: &TcpStream) -> io::Result<u8> {
    #[blocking(unblock)]
    query(stream)
}

fn main() {}
