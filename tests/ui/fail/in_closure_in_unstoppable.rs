use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    #[unstoppable]
    {
        let receive = || blocking!(socket.recv(&mut [0]));
        receive()?;
    }
    Ok(())
}

fn main() {}
