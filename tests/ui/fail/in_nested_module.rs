use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    mod inner {
        pub fn receive(socket: &super::UnixDatagram) {
            #[blocking]
            socket.recv(&mut [0]).unwrap();
        }
    }
    let _ = socket;
    Ok(())
}

fn main() {}
