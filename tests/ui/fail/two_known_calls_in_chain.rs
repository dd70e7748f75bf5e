use stopruntime::stoppable;
use std::io::{self, Read};
use std::net::TcpListener;

#[stoppable]
fn work(listener: &TcpListener) -> io::Result<usize> {
    #[blocking]
    listener.accept()?.0.read(&mut [0])
}

fn main() {}
