use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

fn event(_: &UnixDatagram) -> io::Result<()> {
    Ok(())
}

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[blocking(readable)]
    event(socket)?;
    Ok(())
}

fn main() {}
