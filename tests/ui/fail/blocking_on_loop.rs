use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    loop {
        socket.recv(&mut [0])?;
        break;
    }
    Ok(())
}

fn main() {}
