use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<usize> {
    let mut sum = 0;
    loop {
        let length = blocking!(socket.recv(&mut [0]))?;
        if length == 0 {
            break;
        }
        sum += length;
    }
    Ok(sum)
}

fn main() {}
