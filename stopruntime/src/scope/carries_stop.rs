//! What errors say that a call was stopped.

use super::{Stopped, find, stopped_in};
use std::error::Error;
use std::io;

/// Finds the stop in an error, so that it passes through functions that return that error.
///
/// An example is `#[blocking(as_is)] read_frame(&mut stream)?`, where `read_frame` is
/// `#[stoppable]` itself.
///
/// Most errors need no implementation: a stop is found in every [`Error`] that shows it
/// as a [`source`](Error::source), at any depth, and in every type that derefs to such an
/// error (`Box<dyn Error>`, the reports of `anyhow` and `eyre`). An enum that is an `Error`
/// with `source` and `From<io::Error>` needs nothing more. This is for others.
///
/// A marked call that returns such an error is left as stopped only if the calling
/// thread is to stop. Another thread's stop that arrives in a result, through a
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
