use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    let length = 5;
    let _ = (length, socket);
    Ok(())
}

fn main() {}
