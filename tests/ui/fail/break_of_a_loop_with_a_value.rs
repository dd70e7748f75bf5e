use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<usize> {
    let length = loop {
        #[blocking(break)]
        let length = socket.recv(&mut [0])?;
        if length > 0 {
            break length;
        }
    };
    Ok(length)
}

fn main() {}
