//! What a stop-checked call comes to.

use crate::scope::Stopped;
use std::io;

/// Tells a stop from the result of a call whose plain form returns an [`io::Result`].
///
/// The outer `Err` is a stop, the inner one the error of the call itself.
///
/// # Examples
///
/// ```
/// use std::io;
/// use std::os::unix::net::UnixStream;
/// use stopruntime::ext::{Outcome, ReadOrStop};
///
/// fn tell(outcome: Outcome<usize>) -> &'static str {
///     match outcome {
///         Ok(Ok(_)) => "bytes have come",
///         Ok(Err(_)) => "the call has failed",
///         Err(_) => "a stop is requested",
///     }
/// }
///
/// let (mut reader, writer) = UnixStream::pair()?;
/// drop(writer);
/// assert_eq!(tell(reader.read_or_stop(&mut [0])), "bytes have come"); // none: the end
/// stopruntime::Stopper::current().request_stop();
/// assert_eq!(tell(reader.read_or_stop(&mut [0])), "a stop is requested");
/// # Ok::<(), io::Error>(())
/// ```
pub type Outcome<T> = Result<io::Result<T>, Stopped>;
