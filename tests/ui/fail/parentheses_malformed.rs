use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let length = blocking!(socket.recv(&mut [0]) length)?;
    let _ = length;
    Ok(())
}

fn main() {}
