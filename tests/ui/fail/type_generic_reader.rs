use std::io::{self, Read};
use stopruntime::stoppable;

#[stoppable]
fn work<R: Read>(reader: &mut R) -> io::Result<()> {
    #[blocking]
    reader.read(&mut [0])?;
    Ok(())
}

fn main() {}
