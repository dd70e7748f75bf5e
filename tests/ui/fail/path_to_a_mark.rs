use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[stopruntime::blocking]
    socket.recv(&mut [0])?;
    stopruntime::blocking!(socket.recv(&mut [0]))?;
    Ok(())
}

fn main() {}
