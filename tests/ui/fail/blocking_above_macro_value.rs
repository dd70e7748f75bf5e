use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    let text = format!("{}", socket.recv(&mut [0])?);
    let _ = text;
    Ok(())
}

fn main() {}
