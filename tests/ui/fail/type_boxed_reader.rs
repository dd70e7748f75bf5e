use std::io::{self, Read};
use stopruntime::stoppable;

#[stoppable]
fn work(reader: &mut Box<dyn Read>) -> io::Result<()> {
    #[blocking]
    reader.read(&mut [0])?;
    Ok(())
}

fn main() {}
