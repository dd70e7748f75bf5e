use std::io;
use std::os::unix::net::UnixDatagram;
use stopruntime::stoppable;

#[stoppable]
fn work(socket: UnixDatagram) {
    let receive = move || {
        for _ in 0..10 {
            #[blocking]
            socket.recv(&mut [0])?;
        }
        Ok::<(), io::Error>(())
    };
    let _ = receive();
}

fn main() {}
