use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let length = if socket.local_addr().is_ok() {
        #[blocking]
        3
    } else {
        4
    };
    let _ = length;
    Ok(())
}

fn main() {}
