use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[checkpoint = 3]
    for _ in 0..3 {
        let _ = socket;
    }
    Ok(())
}

fn main() {}
