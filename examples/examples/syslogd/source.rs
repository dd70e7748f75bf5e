//! Where messages come from, what came, and the way to the writer.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use stopruntime::sync::mpsc::SyncSender;

use crate::{complain, line};

/// A listener's name and counts. The counts are added to by the listener's
/// threads and read when these have been joined.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    lines: AtomicU64,
    bad: AtomicU64,
    bytes: AtomicU64,
    unfinished: AtomicU64,
}

impl Source {
    pub(crate) fn new(name: String) -> Source {
        let zero = AtomicU64::default;
        Source { name, lines: zero(), bad: zero(), bytes: zero(), unfinished: zero() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lines, bad, bytes, unfinished] =
            [&self.lines, &self.bad, &self.bytes, &self.unfinished]
                .map(|count| count.load(Ordering::Relaxed));
        write!(formatter, "{}: {lines} lines ({bad} bad), {bytes} bytes", self.name)?;
        if unfinished != 0 {
            write!(formatter, ", {unfinished} messages without an end left out")?;
        }
        Ok(())
    }
}

/// The writer has failed; it has said why.
#[derive(Debug)]
pub(crate) struct NoWriter;

impl From<NoWriter> for io::Error {
    fn from(_: NoWriter) -> io::Error {
        io::Error::new(io::ErrorKind::BrokenPipe, "the writer has failed")
    }
}

/// Counts a source's messages and hands them to the writer.
#[derive(Clone)]
pub(crate) struct Inlet<'a> {
    source: &'a Source,
    lines: SyncSender<Vec<u8>>,
}

impl<'a> Inlet<'a> {
    pub(crate) fn new(source: &'a Source, lines: SyncSender<Vec<u8>>) -> Inlet<'a> {
        Inlet { source, lines }
    }

    /// Says what went wrong here and goes on.
    pub(crate) fn complain(&self, error: &io::Error) {
        complain(format_args!("{}: {error}", self.source.name));
    }

    /// A whole message. Its delivery is not marked: the sender takes it for
    /// delivered already, and the writer is there until the last inlet is gone.
    pub(crate) fn take(&self, message: &[u8]) -> Result<(), NoWriter> {
        let end = message.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        let Some(end) = end else {
            return Ok(());
        };
        let line = line::render(&message[..=end]);
        let bytes = line.bytes.len() as u64;
        self.lines.send(line.bytes).map_err(|_| NoWriter)?;
        self.source.lines.fetch_add(1, Ordering::Relaxed);
        self.source.bad.fetch_add(u64::from(line.bad), Ordering::Relaxed);
        self.source.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// The beginning of a message whose end did not come. Half a line in the
    /// file would pass for a whole one, so it is only counted.
    pub(crate) fn leave_out(&self, beginning: &[u8]) {
        if !beginning.is_empty() {
            self.source.unfinished.fetch_add(1, Ordering::Relaxed);
        }
    }
}
