use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> ! {
    loop {
        #[blocking]
        socket.recv(&mut [0]).unwrap();
    }
}

fn main() {}
