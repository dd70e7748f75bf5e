//! The one thread that writes.
//!
//! It is a plain thread with no mark in it: it ends when the last sender is
//! gone, which is when every line has been received. The channel has a bound, so
//! a disk that is slower than the network slows the TCP senders down instead of
//! filling the memory.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::iter;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use stopruntime::Stopper;

const BOUND: usize = 1024;

/// What is in the file that was not there before.
#[derive(Debug, Default)]
pub(crate) struct Written {
    lines: u64,
    bytes: u64,
}

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "wrote {} lines, {} bytes", self.lines, self.bytes)
    }
}

type Writer = JoinHandle<Result<Written, String>>;

/// Starts it. If it fails, the program has no purpose any more: it requests the
/// stop of `main`.
pub(crate) fn start(path: &Path, main: Stopper) -> Result<(SyncSender<Vec<u8>>, Writer), String> {
    let cannot = format!("cannot write {}", path.display());
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let file = opened.map_err(|error| format!("{cannot}: {error}"))?;
    let (sender, receiver) = sync_channel(BOUND);
    let writer = thread::spawn(move || {
        let written = write(file, &receiver);
        if written.is_err() {
            main.request_stop();
        }
        written.map_err(|error| format!("{cannot}: {error}"))
    });
    Ok((sender, writer))
}

fn write(file: File, lines: &Receiver<Vec<u8>>) -> io::Result<Written> {
    let mut written = Written::default();
    let mut file = BufWriter::with_capacity(64 * 1024, file);
    for first in lines {
        // All that waits goes into one write; nothing waits for more to come.
        for line in iter::once(first).chain(lines.try_iter()) {
            file.write_all(&line)?;
            written.lines += 1;
            written.bytes += line.len() as u64;
        }
        file.flush()?;
    }
    file.get_ref().sync_all()?;
    Ok(written)
}
