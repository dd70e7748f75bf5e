use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

fn size(socket: &UnixDatagram) -> io::Result<usize> {
    socket.recv(&mut [0])
}

fn twice(size: usize) -> io::Result<usize> {
    Ok(2 * size)
}

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    let _size = twice(size(socket)?)?;
    Ok(())
}

fn main() {}
