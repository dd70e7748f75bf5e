use stopruntime::stoppable;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) {
    'again: loop {
        'again: {
            #[blocking]
            socket.recv(&mut [0]).unwrap();
            break 'again;
        }
        break 'again;
    }
}

fn main() {}
