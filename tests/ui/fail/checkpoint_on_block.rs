use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    #[checkpoint]
    {
        socket.send(&[0])?;
    }
    Ok(())
}

fn main() {}
