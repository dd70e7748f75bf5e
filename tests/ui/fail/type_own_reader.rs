use stopruntime::stoppable;
use std::io::{self, Read};

struct Port;

impl Read for Port {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

#[stoppable]
fn work(port: &mut Port) -> io::Result<()> {
    #[blocking]
    port.read(&mut [0])?;
    Ok(())
}

fn main() {}
