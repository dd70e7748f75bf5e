use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable(strict; or = 3)]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
