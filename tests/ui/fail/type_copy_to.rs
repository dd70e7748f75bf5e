//! std keeps a buffer before standard output, and waits for it.

use std::io;
use std::net::TcpStream;

#[stopruntime::stoppable]
fn show(mut stream: TcpStream) -> io::Result<()> {
    #[blocking]
    io::copy(&mut stream, &mut io::stdout())?;
    Ok(())
}

fn main() {}
