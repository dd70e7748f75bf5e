use std::io;
use std::net::UdpSocket;
use stopruntime::stoppable;

fn next_packet(socket: &UdpSocket) -> io::Result<u8> {
    let mut byte = [0];
    socket.recv(&mut byte)?;
    Ok(byte[0])
}

#[stoppable]
fn relay(from: &UdpSocket, to: &UdpSocket) -> io::Result<()> {
    loop {
        #[blocking]
        match next_packet(from) {
            Ok(byte) => to.send(&[byte]),
            Err(error) => return Err(error),
        }?;
    }
    Ok(())
}

fn main() {}
