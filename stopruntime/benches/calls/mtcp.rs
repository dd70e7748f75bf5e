//! `mtcp-rs`: sockets that do not block, a flag and an attempt before each wait,
//! and a `mio` poll where there is nothing yet.
//!
//! One poll for all sockets of a thread, and neither sockets nor poll leave it:
//! what it saves per call it takes from what a program may look like.

use mtcp_rs::{TcpListener, TcpManager, TcpStream};
use std::io::{self, Read, Write};

/// Both ends of a connection.
pub(crate) struct Pair {
    sender: TcpStream,
    receiver: TcpStream,
}

impl Pair {
    pub(crate) fn new() -> io::Result<Pair> {
        let manager = TcpManager::instance()?;
        let listener = TcpListener::bind(&manager, ([127, 0, 0, 1], 0).into())?;
        let address = listener.local_addr().expect("it is bound");
        let sender = TcpStream::connect(&manager, address, None).map_err(io::Error::other)?;
        let accepted = listener.accept(None).map_err(io::Error::other)?;
        Ok(Pair { sender, receiver: TcpStream::from(&manager, accepted)? })
    }

    /// `N` bytes from one end to the other.
    #[inline(always)]
    pub(crate) fn ping<const N: usize>(&mut self, buffer: &mut [u8]) {
        let mut sent = 0;
        while sent < N {
            let moved = self.sender.write(&buffer[sent..N]).unwrap();
            // As much as the connection takes at once.
            self.receiver.read_exact(&mut buffer[sent..sent + moved]).unwrap();
            sent += moved;
        }
    }
}
