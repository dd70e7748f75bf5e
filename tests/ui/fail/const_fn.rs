use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
const fn work(socket: &UnixDatagram) {
    let _ = socket;
}

fn main() {}
