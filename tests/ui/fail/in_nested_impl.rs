use stopruntime::stoppable;
use std::io;
use std::os::unix::net::UnixDatagram;

#[stoppable]
fn work(socket: &UnixDatagram) -> io::Result<()> {
    struct Inner<'a>(&'a UnixDatagram);
    impl Inner<'_> {
        fn recv(&self) -> io::Result<usize> {
            blocking!(self.0.recv(&mut [0]))
        }
    }
    Inner(socket).recv()?;
    Ok(())
}

fn main() {}
