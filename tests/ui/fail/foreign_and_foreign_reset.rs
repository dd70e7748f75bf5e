use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking(foreign, foreign_reset)]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
