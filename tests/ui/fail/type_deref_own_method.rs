//! A method of the wrapper's is not passed by.

use std::ops::Deref;

use stopruntime::stoppable;

struct Framed(std::net::UdpSocket);

impl Deref for Framed {
    type Target = std::net::UdpSocket;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Framed {
    fn recv(&self, _: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }
}

#[stoppable]
fn work(socket: &Framed) -> std::io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
