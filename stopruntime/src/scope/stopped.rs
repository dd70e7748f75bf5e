//! The error of a call that was stopped, and finding it in others.

use super::told;
use crate::runtime::record::Record;
use crate::runtime::scopes::reason::{Cause, Reason};
use crate::runtime::scopes::stack::{self, Stop};
use core::fmt;
use std::error::Error;
use std::io;

/// Reports that a marked call did not happen, because a stop is requested.
///
/// A single call that reports `Stopped` had no effect. A call made of several
/// (`read_exact`, `write_all`, …) reports how far it came.
///
/// As an [`io::Error`] it is of a kind that no retry loop swallows, never
/// [`io::ErrorKind::Interrupted`]; [`is_stopped`] finds it again.
///
/// # Examples
///
/// ```
/// use std::io;
/// use stopruntime::{Cause, Stopper, check};
///
/// Stopper::current().request_stop_because("reload");
/// let stopped = check().unwrap_err();
/// assert_eq!(stopped.cause(), Cause::Requested);
/// assert_ne!(io::Error::from(stopped).kind(), io::ErrorKind::Interrupted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stopped {
    progress: usize,
    stop: Stop,
}

impl Stopped {
    /// Why a scope is stopped, which need not be one of the calling thread's.
    #[cold]
    pub(crate) fn of_scope(stop: Stop) -> Stopped {
        Stopped { progress: 0, stop }
    }

    /// The stop that the calling thread has just found.
    #[cold]
    pub(crate) fn found() -> Stopped {
        Stopped { progress: 0, stop: stack::last_stop() }
    }

    /// The same, where the call is about to return it, as ordinary code.
    #[cold]
    pub(crate) fn returned() -> Stopped {
        told::stopped();
        Stopped::found()
    }

    /// The same stop of a compound call, which had moved so much.
    pub(crate) const fn after(self, progress: usize) -> Stopped {
        Stopped { progress, ..self }
    }

    /// Returns how many bytes a compound call had moved before it was stopped; 0 for
    /// a single call.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    /// use std::time::Duration;
    /// use stopruntime::ext::ReadOrStop;
    /// use stopruntime::within;
    ///
    /// let (mut reader, mut writer) = UnixStream::pair()?;
    /// writer.write_all(b"half")?;
    /// let mut message = [0; 8];
    /// within(Duration::from_millis(200), || -> std::io::Result<()> {
    ///     let stopped = reader.read_exact_or_stop(&mut message).unwrap_err();
    ///     assert_eq!(stopped.progress(), 4);
    ///     Ok(())
    /// })?;
    /// assert_eq!(&message[..4], b"half");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn progress(&self) -> usize {
        self.progress
    }

    /// Returns why the call was stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Instant;
    /// use stopruntime::{Cause, Stopper, check};
    ///
    /// let job = Stopper::new();
    /// job.request_stop_at(Instant::now());
    /// assert_eq!(job.run(check).unwrap_err().cause(), Cause::Deadline);
    /// ```
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.stop.cause
    }

    /// Returns the reason that the requester has given, if there is one
    /// ([`Stopper::request_stop_because`](crate::Stopper::request_stop_because)).
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Stopper, check};
    ///
    /// Stopper::current().request_stop_because("Ctrl-C");
    /// let stopped = check().unwrap_err();
    /// assert_eq!(stopped.reason().unwrap().as_str(), "Ctrl-C");
    /// assert_eq!(stopped.to_string(), "a stop has been requested: Ctrl-C");
    /// ```
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        self.stop.reason
    }
}

impl Record {
    /// Reports the stop of the calling thread, whose record this is, if a marked call would
    /// stop now.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if self.must_stop() { Err(Stopped::found()) } else { Ok(()) }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.cause() {
            Cause::Requested => "a stop has been requested",
            Cause::Deadline => "the time limit has passed",
        })?;
        match self.reason() {
            Some(reason) => write!(formatter, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl Error for Stopped {}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> io::Error {
        // mutant: stop-is-not-interrupted-kind
        io::Error::other(Inside(stopped))
    }
}

/// Holds a stop in an [`io::Error`].
///
/// The `source` of an [`io::Error`] is the source of what it holds. So an error that shows
/// the source of its `io::Error` (`#[error(transparent)]`) leads to the stop as well.
#[derive(Debug)]
struct Inside(Stopped);

impl fmt::Display for Inside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Error for Inside {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // mutant: stop-by-inner-source
        Some(&self.0)
    }
}

/// Finds [`Stopped`] in an error or in what caused it.
pub(crate) fn stopped_in(error: &io::Error) -> Option<Stopped> {
    find(error.get_ref().map(|inner| inner as _))
}

pub(crate) fn find(mut cause: Option<&(dyn Error + 'static)>) -> Option<Stopped> {
    while let Some(error) = cause {
        if let Some(stopped) = error.downcast_ref::<Stopped>() {
            return Some(*stopped);
        }
        // An io::Error skips its own payload in `source`.
        cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as _),
            None => error.source(),
        };
    }
    None
}

/// Returns whether this `io::Error` carries [`Stopped`], itself or as the cause of another
/// error.
///
/// [`CarriesStop::stopped`](crate::CarriesStop::stopped) finds it in other errors too, and
/// gives the cause and the reason.
/// The stop may be another thread's, if the error has come through a channel or a join;
/// [`stop_requested`](crate::stop_requested) tells whether the calling thread is to stop.
///
/// # Examples
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::os::unix::net::UnixStream;
/// use stopruntime::{Stoppable, Stopper, is_stopped};
///
/// let (reader, _writer) = UnixStream::pair()?;
/// let mut lines = BufReader::new(Stoppable::new(reader)).lines();
/// Stopper::current().request_stop();
/// let error = lines.next().unwrap().unwrap_err();
/// assert!(is_stopped(&error));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn is_stopped(error: &io::Error) -> bool {
    stopped_in(error).is_some()
}
