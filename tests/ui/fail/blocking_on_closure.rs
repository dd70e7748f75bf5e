use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    let receive = || socket.recv(&mut [0]);
    receive()?;
    Ok(())
}

fn main() {}
