use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> u8 {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer).unwrap();
        if buffer[0] == 1 {
            break 5;
        }
    }
}

fn main() {}
