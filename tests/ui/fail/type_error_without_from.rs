use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

struct Failed;

#[stoppable]
fn work(socket: &UnixDatagram) -> Result<(), Failed> {
    #[blocking]
    socket.recv(&mut [0]).map_err(|_| Failed)?;
    Ok(())
}

fn main() {}
