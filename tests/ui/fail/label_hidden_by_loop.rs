use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) {
    'again: loop {
        'again: loop {
            #[blocking]
            socket.recv(&mut [0]).unwrap();
            break 'again;
        }
        break;
    }
}

fn main() {}
