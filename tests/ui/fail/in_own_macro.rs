use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

macro_rules! twice {
    ($call:expr) => {
        $call + $call
    };
}

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let length = twice!(blocking!(socket.recv(&mut [0]))?);
    let _ = length;
    Ok(())
}

fn main() {}
