//! Adds up the bytes that arrive by UDP.

use std::io;
use std::net::UdpSocket;

fn add_up(socket: &UdpSocket) -> io::Result<usize> {
    let mut bytes = 0;
    let mut buffer = [0; 2048];
    loop {
        let length = socket.recv(&mut buffer)?;
        bytes += length;
        println!("{bytes} bytes");
    }
}

fn main() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    println!("listening on {}", socket.local_addr()?);
    let adder = std::thread::spawn(move || add_up(&socket));
    let bytes = adder.join().expect("the adder does not panic")?;
    println!("{bytes} bytes in all");
    Ok(())
}
