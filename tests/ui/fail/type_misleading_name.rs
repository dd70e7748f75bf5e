use std::io;
use stopruntime::stoppable;

struct Port;

impl Port {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn read_cts(&self) {}
}

#[stoppable]
fn work(port: &mut Port) -> io::Result<()> {
    port.read_cts();
    #[blocking]
    port.read(&mut [0])?;
    Ok(())
}

fn main() {}
