use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
async fn work(socket: &UnixDatagram) {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
}

fn main() {}
