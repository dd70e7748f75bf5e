
use std::os::unix::net::UnixDatagram;

fn work(socket: &UnixDatagram) {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
    blocking!(socket.recv(&mut [0])).unwrap();
}

fn main() {}
