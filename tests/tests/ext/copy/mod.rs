//! `io::copy`: no matter which thread is stopped, wherever it is, every byte arrives once.

mod blocked;
mod edges;
mod ends;
mod memory;
mod random;
mod terminal;

use ends::{Reader, Writer};
use std::io;
use stopruntime::Stopped;
use stopruntime::ext::copy_or_stop;

/// The calls in which a copy waits for its source.
const READS: [libc::c_long; 3] = [libc::SYS_read, libc::SYS_recvfrom, libc::SYS_ppoll];
/// The calls in which a copy waits for the other end.
const WRITES: [libc::c_long; 3] = [libc::SYS_write, libc::SYS_sendto, libc::SYS_ppoll];

/// Both ends of a copy, handed from one thread to the next.
struct Ends {
    reader: Reader,
    writer: Writer,
}

impl Ends {
    /// Copies on; what came of it, and the ends.
    fn copy(mut self) -> (Result<io::Result<u64>, Stopped>, Ends) {
        (copy_or_stop(&mut self.reader, &mut self.writer), self)
    }

    /// Copies on where nothing stops it, to the end: how much.
    fn copy_to_the_end(self) -> u64 {
        self.copy().0.expect("nothing stops it").expect("no error")
    }
}

/// What was moved by a copy that was stopped.
fn progress(outcome: &Result<io::Result<u64>, Stopped>) -> u64 {
    outcome.as_ref().expect_err("stopped").progress() as u64
}
