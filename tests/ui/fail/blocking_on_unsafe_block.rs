use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking]
    // SAFETY: nothing in it needs any.
    unsafe {
        socket.send(&[0])?;
        socket.recv(&mut [0])?;
    }
    Ok(())
}

fn main() {}
