//! Nothing tells how this reader is stopped.

use std::io::{self, Read};

struct Port;

impl Read for Port {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

#[stopruntime::stoppable]
fn save(port: &mut Port) -> io::Result<Vec<u8>> {
    let mut copy = Vec::new();
    #[blocking]
    io::copy(port, &mut copy)?;
    Ok(copy)
}

fn main() {}
