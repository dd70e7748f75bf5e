use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let result = socket.recv(&mut [0]);
    #[blocking]
    let length = result.unwrap();
    let _ = length;
    Ok(())
}

fn main() {}
