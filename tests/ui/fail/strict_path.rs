use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable(strict)]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    std::thread::sleep(std::time::Duration::from_millis(1));
    Ok(())
}

fn main() {}
