//! A name that is bound again is looked at again.

use std::net::UdpSocket;
use std::ops::Deref;

use stopruntime::stoppable;

struct Framed(UdpSocket);

impl Deref for Framed {
    type Target = UdpSocket;

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
fn work(socket: UdpSocket) -> std::io::Result<()> {
    #[blocking]
    socket.recv(&mut [0])?;
    let socket = Framed(socket);
    #[blocking]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {}
