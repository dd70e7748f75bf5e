use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let length = blocking!(as_is, )?;
    let _ = (socket, length);
    Ok(())
}

fn main() {}
