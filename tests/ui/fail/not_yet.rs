use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking(foreign)]
    socket.recv(&mut [0])?;
    #[blocking(unblock = drop(1))]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
