use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    macro_rules! receive {
        () => {
            blocking!(socket.recv(&mut [0]))?
        };
    }
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
