use std::io;
use stopruntime::stoppable;

#[stoppable]
fn work(first: bool) -> io::Result<u8> {
    #[blocking]
    let number = if first { 1 } else { 2 };
    Ok(number)
}

fn main() {}
