use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let blocking!(length) = socket.recv(&mut [0])?;
    let _ = length;
    Ok(())
}

fn main() {}
