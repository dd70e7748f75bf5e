#![deny(unused_must_use)]
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::TcpStream;
use stopruntime::stoppable;

#[stoppable]
fn work(mut stream: TcpStream) {
    #[blocking]
    stream.write_all(b"x");
    blocking!(stream.read(&mut [0]));
    #[blocking(readable)]
    stream.read(&mut [0]);
}

fn main() {}
