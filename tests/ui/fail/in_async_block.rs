use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    let later = async {
        #[blocking]
        socket.recv(&mut [0])
    };
    drop(later);
    Ok(())
}

fn main() {}
