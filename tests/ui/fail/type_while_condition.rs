use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable(break)]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    while 5 {
        #[blocking]
        socket.recv(&mut [0])?;
    }
    Ok(())
}

fn main() {}
