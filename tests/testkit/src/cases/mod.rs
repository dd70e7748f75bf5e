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

pub(crate) use ends::Shared;
pub use run::{Control, Running, call_name};

use crate::sys::Arranged;
use core::any::Any;
use core::ffi::c_long;
use std::io;
use std::time::Duration;
use stopruntime::{Backend, Stopped};

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

/// Where a call waits.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// In one of these system calls.
    In(&'static [c_long]),
    /// In a futex, as a test's own threads do at their start.
    Futex,
    /// In any other system call.
    NoFutex,
    /// The backend refuses it with `ENOTSUP` instead of waiting unstoppably.
    Refused,
}

impl Place {
    /// Whether a thread that sleeps in this system call is there.
    #[must_use]
    pub fn has(self, call: c_long) -> bool {
        let is_futex = [libc::SYS_futex, libc::SYS_futex_waitv].contains(&call);
        match self {
            Place::In(calls) => calls.contains(&call),
            Place::Futex => is_futex,
            Place::NoFutex => !is_futex,
            Place::Refused => false,
        }
    }

    const fn of(calls: &'static [c_long]) -> Place {
        if calls.is_empty() { Place::Refused } else { Place::In(calls) }
    }
}

/// How a fixture comes about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrange {
    Std(fn() -> io::Result<Fixture>),
    Raw(fn() -> Arranged),
}

/// One covered call.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a row of independent facts")]
pub struct Case {
    /// As a user knows it.
    pub name: &'static str,
    /// Where it waits if calls go through windows.
    pub(crate) windows: Place,
    /// The same for the backend without windows.
    pub(crate) ppoll: Place,
    /// What it reports when it is stopped while it waits.
    pub progress: Progress,
    /// Whether `feed` ends a call that waits already. A sleep is only given its
    /// length.
    pub feed_wakes: bool,
    /// Whether the bytes can be counted when a signal comes in the middle. A
    /// pseudoterminal loses some of a plain write(2) that is interrupted, with
    /// no help (seen on Linux 6.18).
    pub counts_under_signals: bool,
    /// Whether the backend without windows refuses it also where it would not
    /// have to wait.
    pub(crate) never_on_ppoll: bool,
    /// Whether it reports what has happened already although a stop is requested:
    /// a value that is there, a condition that holds.
    pub goes_before_a_stop: bool,
    /// Whether it waits for no other thread, or nothing makes it wait on this machine.
    pub ends_by_itself: bool,
    /// Whether what it waits for is lost unless it waits already: a signal that is
    /// not blocked.
    pub for_the_moment: bool,
    /// Of a call of libc: the functions that have no variant, in whose place it is
    /// used.
    pub stands_for: &'static [&'static str],
    /// Of a call of libc: its result.
    pub(crate) gives: i64,
    /// Of a call of libc: the error with which its event ends it, such as `EINTR` for
    /// `pause`; or the one for who may not make it.
    pub(crate) fails_with: Option<i32>,
    pub(crate) arrange: Arrange,
}

impl Case {
    /// A case that waits in one of these on all backends.
    const fn new(
        name: &'static str,
        windows: &'static [c_long],
        arrange: fn() -> io::Result<Fixture>,
    ) -> Case {
        let place = Place::of(windows);
        Case::made(name, place, place, Arrange::Std(arrange))
    }

    pub(crate) const fn made(
        name: &'static str,
        windows: Place,
        ppoll: Place,
        arrange: Arrange,
    ) -> Case {
        Case {
            name,
            windows,
            ppoll,
            progress: Progress::Exactly(0),
            feed_wakes: true,
            counts_under_signals: true,
            never_on_ppoll: false,
            goes_before_a_stop: false,
            ends_by_itself: false,
            for_the_moment: false,
            stands_for: &[],
            gives: 0,
            fails_with: None,
            arrange,
        }
    }

    const fn on_ppoll(self, ppoll: &'static [c_long]) -> Case {
        Case { ppoll: Place::of(ppoll), ..self }
    }

    const fn with_progress(self, progress: Progress) -> Case {
        Case { progress, ..self }
    }

    pub(crate) const fn before_a_stop(self) -> Case {
        Case { goes_before_a_stop: true, ..self }
    }

    const fn not_woken(self) -> Case {
        Case { feed_wakes: false, ..self }
    }

    const fn not_counted_under_signals(self) -> Case {
        Case { counts_under_signals: false, ..self }
    }

    /// The same, refused on a backend without windows where it would have to wait, or
    /// always.
    #[must_use]
    pub const fn refused_on_ppoll(self, always: bool) -> Case {
        Case { ppoll: Place::Refused, never_on_ppoll: always, ..self }
    }

    pub(crate) const fn in_futex(self) -> Case {
        Case { windows: Place::Futex, ppoll: Place::Futex, ..self }
    }

    /// Where it waits on this backend.
    #[must_use]
    pub fn waits_in(&self, backend: Backend) -> Place {
        if backend == Backend::Ppoll { self.ppoll } else { self.windows }
    }

    /// Whether this backend refuses it with `ENOTSUP` where it would have to wait.
    #[must_use]
    pub fn is_refused(&self, backend: Backend) -> bool {
        matches!(self.waits_in(backend), Place::Refused)
    }

    /// Whether this backend refuses it also where it would not have to wait.
    #[must_use]
    pub fn is_always_refused(&self, backend: Backend) -> bool {
        self.never_on_ppoll && backend == Backend::Ppoll
    }

    /// Whether it is a call of libc, made as libc has it.
    #[must_use]
    pub fn is_of_libc(&self) -> bool {
        matches!(self.arrange, Arrange::Raw(_))
    }

    /// Whether it fails at once for who may not make it.
    #[must_use]
    pub fn takes_a_right(&self) -> bool {
        self.fails_with == Some(libc::EPERM)
    }

    /// Arranges it.
    ///
    /// # Errors
    ///
    /// What the system refuses.
    pub fn arrange(&self) -> io::Result<Fixture> {
        match self.arrange {
            Arrange::Std(arrange) => arrange(),
            Arrange::Raw(arrange) => Ok(arrange().fixture(self)),
        }
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
