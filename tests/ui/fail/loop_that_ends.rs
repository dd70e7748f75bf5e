use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<usize> {
    let mut sum = 0;
    for _ in 0..10 {
        #[blocking]
        let length = socket.recv(&mut [0])?;
        sum += length;
    }
    Ok(sum)
}

fn main() {}
