use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    struct Read {
        length: usize,
    }
    let read = Read {
        #[blocking]
        length: socket.recv(&mut [0])?,
    };
    let _ = read.length;
    Ok(())
}

fn main() {}
