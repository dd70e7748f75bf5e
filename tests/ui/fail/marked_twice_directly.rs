use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    blocking!(socket.recv(&mut [0])).unwrap();
    Ok(())
}

fn main() {}
