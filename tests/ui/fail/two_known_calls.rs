use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    socket.send(&[socket.recv(&mut [0])? as u8])?;
    Ok(())
}

fn main() {}
