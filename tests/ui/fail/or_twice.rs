use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable(or = 1, or = 2)]
fn work(socket: &UnixDatagram) -> u8 {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
    0
}

fn main() {}
