use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[deny(warnings)]
#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<u32> {
    let mut count = 0;
    loop {
        #[blocking(now)]
        socket.recv(&mut [0])?;
        count += 1;
    }
    socket.send(&[0])?;
    Ok(count)
}

fn main() {
    work(&UnixDatagram::unbound().unwrap()).unwrap();
}
