//! The buffer waits in its own write to the stream.

use std::io::{self, BufWriter};
use std::net::TcpStream;

#[stopruntime::stoppable]
fn forward(mut from: TcpStream, to: TcpStream) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    #[blocking]
    io::copy(&mut from, &mut to)?;
    Ok(())
}

fn main() {}
