use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let lengths = vec![blocking!(socket.recv(&mut [0]))?];
    let _ = lengths;
    Ok(())
}

fn main() {}
