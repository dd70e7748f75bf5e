//! The buffer waits in its own write to the stream, and lets nothing look into it.

use std::io::{self, LineWriter};
use std::net::TcpStream;

#[stopruntime::stoppable]
fn forward(mut from: TcpStream, to: TcpStream) -> io::Result<()> {
    let mut to = LineWriter::new(to);
    #[blocking]
    io::copy(&mut from, &mut to)?;
    Ok(())
}

fn main() {}
