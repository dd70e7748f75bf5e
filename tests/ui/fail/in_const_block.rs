use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    const { blocking!(None::<u8>.is_some()) };
    let _ = socket;
    Ok(())
}

fn main() {}
