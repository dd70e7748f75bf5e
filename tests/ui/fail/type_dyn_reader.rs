use std::io::{self, Read};
use stopruntime::stoppable;

#[stoppable]
fn work(reader: &mut dyn Read) -> io::Result<()> {
    #[blocking]
    reader.read(&mut [0])?;
    Ok(())
}

fn main() {}
