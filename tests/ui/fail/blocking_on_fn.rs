use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    fn inner(socket: &UnixDatagram) -> io::Result<usize> {
        socket.recv(&mut [0])
    }
    inner(socket)?;
    Ok(())
}

fn main() {}
