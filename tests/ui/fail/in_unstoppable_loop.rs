use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[unstoppable]
    for _ in 0..3 {
        blocking!(socket.recv(&mut [0]))?;
    }
    Ok(())
}

fn main() {}
