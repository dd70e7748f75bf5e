use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<usize> {
    #[blocking(within)]
    socket.recv(&mut [0])
}

fn main() {
    let _ = Duration::ZERO;
}
