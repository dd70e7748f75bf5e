use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable(or = 1)]
fn work(socket: &UnixDatagram) -> u8 {
    let receive = || -> usize { blocking!(socket.recv(&mut [0])).unwrap_or(0) };
    receive();
    0
}

fn main() {}
