use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) {
    let read = |#[blocking] length: usize| length;
    #[blocking]
    socket.recv(&mut [0]).map(read).unwrap();
}

fn main() {}
