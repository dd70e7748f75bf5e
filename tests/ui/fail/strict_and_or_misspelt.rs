use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable(strictly)]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
