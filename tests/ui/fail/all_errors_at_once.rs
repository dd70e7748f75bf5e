use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
async fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[checkpoint]
    socket.send(&[0])?;
    #[blocking]
    let length = 5;
    println!("{}", blocking!(socket.recv(&mut [0]))?);
    let _ = length;
    Ok(())
}

fn main() {}
