use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[checkpoint]
    #[unstoppable]
    for _ in 0..3 {
        socket.send(&[0])?;
    }
    Ok(())
}

fn main() {}
