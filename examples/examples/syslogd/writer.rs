//! The one thread that writes.
//!
//! It ends when the last sender is gone, which is when every line has been received.
//! The channel has a bound, so a disk that is slower than the network slows the TCP
//! senders down instead of filling the memory.
//!
//! SIGHUP makes it open its file anew, which logrotate has moved away: its wait for
//! lines is marked, and runs under a scope that the signal stops. The listeners know
//! nothing of that.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use stopruntime::shutdown::Guard;
use stopruntime::sync::mpsc::{Receiver, SyncSender, sync_channel};
use stopruntime::{Stopper, stoppable};

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
pub(crate) fn start(
    path: &Path,
    main: Stopper,
    reloads: Arc<Guard>,
) -> Result<(SyncSender<Vec<u8>>, Writer), String> {
    let cannot = format!("cannot write {}", path.display());
    // Whether it can be written is known before anything listens.
    drop(open(path).map_err(|error| format!("{cannot}: {error}"))?);
    let (sender, receiver) = sync_channel(BOUND);
    let path = path.to_owned();
    let writer = thread::Builder::new().name("writer".into()).spawn(move || {
        let mut written = Written::default();
        // Opened in here, for the signal may come before the first run too.
        let outcome = reloads.run_reloading(|| write(&open(&path)?, &receiver, &mut written));
        let written = outcome.map(|()| written);
        if written.is_err() {
            main.request_stop();
        }
        written.map_err(|error| format!("{cannot}: {error}"))
    });
    let writer = writer.map_err(|error| format!("cannot start the writer: {error}"))?;
    Ok((sender, writer))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Writes until the last sender is gone, or a reload.
#[stoppable(break)]
fn write(file: &File, lines: &Receiver<Vec<u8>>, written: &mut Written) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(64 * 1024, file);
    #[blocking]
    for first in lines {
        // All that waits goes into one write; nothing waits for more to come.
        for line in iter::once(first).chain(lines.try_iter()) {
            buffered.write_all(&line)?;
            written.lines += 1;
            written.bytes += line.len() as u64;
        }
        buffered.flush()?;
    }
    file.sync_all()
}
