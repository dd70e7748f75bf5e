//! Adds up the bytes that arrive by UDP.
//!
//! Until Enter is pressed: `diff drop_in_before.rs drop_in_after.rs`.

use std::io;
use std::net::UdpSocket;

use stopruntime::stoppable;

#[stoppable]
fn add_up(socket: &UdpSocket) -> io::Result<usize> {
    let mut bytes = 0;
    let mut buffer = [0; 2048];
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        bytes += length;
        println!("{bytes} bytes");
    }
    Ok(bytes)
}

fn main() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    println!("listening on {}", socket.local_addr()?);
    let adder = stopruntime::thread::spawn(move || add_up(&socket));
    io::stdin().read_line(&mut String::new())?;
    adder.request_stop();
    let bytes = adder.join().expect("the adder does not panic")?;
    println!("{bytes} bytes in all");
    Ok(())
}
