use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking(now)]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {
    let (socket, _other) = UnixDatagram::pair().unwrap();
    work(&socket).unwrap();
}
