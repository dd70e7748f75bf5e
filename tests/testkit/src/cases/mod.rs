//! Every blocking call that the runtime covers, arranged so that it blocks,
//! can be made to complete, and can be looked at for what it lost.
//!
//! A [`Case`] is one call by the name users know it by; those of libc are in
//! [`sys`](crate::sys). Its [`Fixture`] is one arrangement of it, good for one thread
//! and one outcome:
//!
//! * `marked` makes the stop-checked call; the thread to be stopped runs it;
//! * `feed` makes it complete, and says what the call has to report then;
//! * `plain` is std's own call, made after a stop: together with what the
//!   stopped call had moved it must come to what `feed` said;
//! * `verify` looks, after either, that nothing was moved twice.

mod buffered;
mod case;
mod child;
mod connect;
mod copy;
mod crossbeam;
mod datagram;
mod ends;
mod file;
mod listener;
mod readiness;
mod run;
mod stdin;
mod stream;
mod sync;
mod time;
mod write;

pub(crate) use case::Arrange;
pub use case::{Case, Place};
pub(crate) use ends::Shared;
pub use run::{Control, Running, call_name};

use core::any::Any;
use std::io;
use std::time::Duration;
use stopruntime::Stopped;

/// What became of a call.
#[derive(Debug)]
pub enum Outcome {
    /// It returned a value; here as text.
    Completed(String),
    /// It reported a stop.
    Stopped(Moved),
    /// It failed.
    Failed(io::Error),
}

/// What a stopped call had moved before; nothing for a single call.
#[derive(Debug, Default)]
pub struct Moved {
    /// What [`Stopped::progress`] said, in bytes.
    pub progress: usize,
    /// A reading call: the bytes it had handed over.
    pub taken: Vec<u8>,
}

/// The call that got the data in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenBy {
    /// The stop-checked one.
    Marked,
    /// The plain one, after a stop.
    Plain,
}

/// What [`Stopped::progress`] says when the call is stopped while it waits.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// This many bytes.
    Exactly(usize),
    /// As many as the kernel's buffers took: at least one.
    Some,
}

impl Progress {
    /// Compares with what was reported.
    ///
    /// # Errors
    ///
    /// How they differ.
    pub fn check(self, moved: &Moved) -> Result<(), String> {
        let Moved { progress, taken } = moved;
        let right = match self {
            Progress::Exactly(bytes) => *progress == bytes,
            Progress::Some => *progress > 0,
        };
        if right && (taken.is_empty() || taken.len() == *progress) {
            return Ok(());
        }
        Err(format!("progress {progress} with {} bytes taken, not {self:?}", taken.len()))
    }
}

/// One arrangement of a call.
pub struct Fixture {
    /// Makes the stop-checked call. Made again after it has completed, it is
    /// only good for being stopped.
    pub marked: Box<dyn FnMut() -> Outcome + Send>,
    /// Makes the call complete; the text it has to report.
    pub feed: Box<dyn FnOnce() -> io::Result<String> + Send>,
    /// Makes the plain call in continuation of what was moved.
    pub plain: Box<dyn FnOnce(Moved) -> io::Result<String> + Send>,
    /// Fails if anything is left over or came twice. The other closures have
    /// been dropped by then, and with them the ends they held.
    pub verify: Box<dyn FnOnce(TakenBy) -> io::Result<()> + Send>,
    /// What has to outlive the rest: children, directories.
    pub keep: Box<dyn Any + Send>,
}

impl core::fmt::Debug for Fixture {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Fixture").finish_non_exhaustive()
    }
}

/// All covered calls of std.
#[must_use]
pub fn all() -> Vec<Case> {
    [
        listener::CASES,
        stream::CASES,
        write::CASES,
        buffered::CASES,
        stdin::CASES,
        copy::CASES,
        datagram::CASES,
        connect::CASES,
        child::CASES,
        file::CASES,
        sync::CASES,
        crossbeam::CASES,
        time::CASES,
        readiness::CASES,
    ]
    .concat()
}

impl Outcome {
    /// Of a single call.
    pub(crate) fn of<T>(
        result: Result<io::Result<T>, Stopped>,
        text: impl FnOnce(T) -> io::Result<String>,
    ) -> Outcome {
        Outcome::of_compound(result, text, Vec::new)
    }

    /// Of a call made of several; `taken` are the bytes it handed over.
    fn of_compound<T>(
        result: Result<io::Result<T>, Stopped>,
        text: impl FnOnce(T) -> io::Result<String>,
        taken: impl FnOnce() -> Vec<u8>,
    ) -> Outcome {
        match result.map(|result| result.and_then(text)) {
            Ok(Ok(text)) => Outcome::Completed(text),
            Ok(Err(error)) => Outcome::Failed(error),
            Err(stopped) => {
                Outcome::Stopped(Moved { progress: stopped.progress(), taken: taken() })
            }
        }
    }
}

/// What is sent in most cases.
const MESSAGE: &[u8] = b"early and late\n";
/// As much of it as is there before a call made of several begins.
const EARLY: usize = b"early ".len();

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// Longer than any case takes.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// For what a foreign signal ends also where it is not marked (signal(7)): its
/// caller makes it again.
fn until_not_interrupted(mut call: impl FnMut() -> Outcome) -> Outcome {
    loop {
        match call() {
            Outcome::Failed(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// For `verify`.
fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(otherwise())) }
}
