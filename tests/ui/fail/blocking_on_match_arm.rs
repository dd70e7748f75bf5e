use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    match 1 {
        #[blocking]
        1 => socket.recv(&mut [0])?,
        _ => 0,
    };
    Ok(())
}

fn main() {}
