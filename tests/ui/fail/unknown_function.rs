use std::io;
use stopruntime::stoppable;

fn lib_call() -> io::Result<u32> {
    Ok(1)
}

#[stoppable]
fn work() -> io::Result<u32> {
    #[blocking]
    lib_call()
}

fn main() {}
