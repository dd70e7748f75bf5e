use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable(strict)]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    socket.send(&[0])?;
    Ok(())
}

fn main() {}
