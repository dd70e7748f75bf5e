//! The loop whose machine code `.ci/assembly` looks at: a marked read has to
//! come down to one inlined `syscall` instruction, and no `call` in the loop.
//!
//! `cargo run --release --example read_loop` counts the bytes of its input.

use std::fs::File;
use std::io::{self, Read, stdin};
use std::os::fd::{AsFd, AsRawFd};
use stopruntime::stoppable;

/// Reads byte by byte to the end; kept whole so that it can be found.
#[stoppable(break)]
#[inline(never)]
fn count_bytes(mut input: &File) -> io::Result<u64> {
    let mut count = 0;
    let mut byte = [0];
    loop {
        #[blocking]
        let length = input.read(&mut byte)?;
        if length == 0 {
            break;
        }
        count += u64::from(byte[0] != b'\r');
    }
    Ok(count)
}

fn main() -> io::Result<()> {
    let input = File::from(stdin().as_fd().try_clone_to_owned()?);
    let count = count_bytes(&input)?;
    println!("{count} bytes on descriptor {}", input.as_raw_fd());
    Ok(())
}
