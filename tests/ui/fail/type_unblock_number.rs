use std::net::{Shutdown, TcpStream};
use stopruntime::stoppable;

fn query(stream: &TcpStream) -> u8 {
    let _ = stream;
    1
}

#[stoppable]
fn work(stream: &TcpStream) {
    loop {
        #[blocking(unblock = stream.shutdown(Shutdown::Both))]
        let _number = query(stream);
    }
}

fn main() {}
