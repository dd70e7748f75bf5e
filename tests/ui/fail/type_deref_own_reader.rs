//! Nor one by a trait, behind a guard.

use std::io::{self, Read};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use stopruntime::stoppable;

struct Decrypting(TcpStream);

impl Deref for Decrypting {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.0
    }
}

impl DerefMut for Decrypting {
    fn deref_mut(&mut self) -> &mut TcpStream {
        &mut self.0
    }
}

impl Read for Decrypting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

#[stoppable]
fn work(stream: &mut MutexGuard<'_, Decrypting>) -> io::Result<()> {
    let mut all = Vec::new();
    #[blocking]
    stream.read_to_end(&mut all)?;
    Ok(())
}

fn main() {}
