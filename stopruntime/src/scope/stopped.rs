//! The error of a call that was stopped, and finding it in others.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    progress: usize,
    stop: Stop,
}

impl Stopped {
    /// The stop that the calling thread has just found.
    #[cold]
    pub(crate) fn found() -> Stopped {
        Stopped { progress: 0, stop: stack::last_stop() }
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

/// Finds the stop in an error, so that it passes through functions that return that error.
///
/// An example is `#[blocking(as_is)] read_frame(&mut stream)?`, where `read_frame` is
/// `#[stoppable]` itself.
///
/// Most errors need no implementation: a stop is found in every [`Error`] that shows it
/// as a [`source`](Error::source), at any depth, and in every type that derefs to such an
/// error (`Box<dyn Error>`, the reports of `anyhow` and `eyre`).
///
/// A marked call that returns such an error is left as stopped only if the calling
/// thread is to stop. Another thread's stop that comes home in a result, through a
/// channel or a join, is an ordinary error.
///
/// # Examples
///
/// ```
/// use std::io::{self, Read};
/// use std::net::TcpStream;
/// use stopruntime::{CarriesStop, Stopped, stoppable};
///
/// enum FrameError {
///     Io(io::Error),
///     TooLong(usize),
/// }
///
/// impl CarriesStop for FrameError {
///     fn stopped(&self) -> Option<Stopped> {
///         match self {
///             FrameError::Io(error) => error.stopped(),
///             FrameError::TooLong(_) => None,
///         }
///     }
/// }
///
/// impl From<io::Error> for FrameError {
///     fn from(error: io::Error) -> FrameError {
///         FrameError::Io(error)
///     }
/// }
///
/// // What a stop leaves the function with.
/// impl From<Stopped> for FrameError {
///     fn from(stopped: Stopped) -> FrameError {
///         FrameError::Io(stopped.into())
///     }
/// }
///
/// #[stoppable]
/// fn read_frame(stream: &mut TcpStream) -> Result<Vec<u8>, FrameError> {
///     let mut length = [0; 2];
///     #[blocking]
///     stream.read_exact(&mut length)?;
///     let length = usize::from(u16::from_be_bytes(length));
///     if length > 1024 {
///         return Err(FrameError::TooLong(length));
///     }
///     let mut frame = vec![0; length];
///     #[blocking]
///     stream.read_exact(&mut frame)?;
///     Ok(frame)
/// }
/// # let error = FrameError::Io(io::ErrorKind::NotFound.into());
/// # assert!(error.stopped().is_none());
/// # assert!(FrameError::TooLong(1).stopped().is_none());
/// # stopruntime::Stopper::current().request_stop();
/// # let stopped = stopruntime::check().unwrap_err();
/// # assert!(FrameError::from(stopped).stopped().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot carry a stop",
    label = "this call has no stop-checked form, and its error does not tell a stop from a failure",
    note = "implement `stopruntime::CarriesStop` for it; or, if what the call waits for has a file descriptor, use `#[blocking(readable)]`"
)]
pub trait CarriesStop {
    /// Returns the stop that the error carries, if there is one.
    fn stopped(&self) -> Option<Stopped>;
}

impl CarriesStop for Stopped {
    fn stopped(&self) -> Option<Stopped> {
        Some(*self)
    }
}

impl CarriesStop for io::Error {
    fn stopped(&self) -> Option<Stopped> {
        stopped_in(self)
    }
}

macro_rules! boxed {
    ($($error:ty),*) => {$(
        impl CarriesStop for $error {
            fn stopped(&self) -> Option<Stopped> {
                find(Some(&**self as _))
            }
        }
    )*};
}
boxed!(Box<dyn Error>, Box<dyn Error + Send>, Box<dyn Error + Send + Sync>);

/// Returns whether this error carries [`Stopped`], itself or as the cause of another error.
///
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
