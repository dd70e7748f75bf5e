//! What stands between a caller and a stream, or in place of one, does under a
//! mark what std's own does: buffers, lines, limits, chains, memory. And what a
//! buffer holds when a stop comes is not lost.

mod read;
mod written;

use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The calls in which a read waits.
const READS: [libc::c_long; 3] = [libc::SYS_read, libc::SYS_recvfrom, libc::SYS_ppoll];

/// What a panic says.
fn panics<T>(body: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).err().expect("a panic");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).into(),
    }
}

fn file(bytes: &[u8]) -> File {
    let directory = stop_tests::directory::Directory::new().unwrap();
    let path = directory.join("file");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}
