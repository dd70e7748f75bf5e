use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    for _ in 0..10 {
        #[blocking(break, return)]
        socket.recv(&mut [0])?;
    }
    Ok(())
}

fn main() {}
