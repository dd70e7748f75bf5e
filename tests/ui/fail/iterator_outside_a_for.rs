use stopruntime::stoppable;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;

#[stoppable]
fn work(stream: UnixStream) {
    #[blocking]
    let lines = BufReader::new(stream).lines();
    drop(lines);
}

fn main() {}
