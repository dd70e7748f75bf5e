//! One deadline over whatever a closure does.

use super::told;
use crate::event::Event;
use crate::runtime::attach;
use crate::runtime::scopes::clock;
use crate::runtime::scopes::enter::Inside;
use crate::runtime::scopes::look;
use crate::runtime::scopes::stack::Entry;
use core::fmt;
use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

/// Runs `f` with one time limit over all its marked calls, checkpoints and
/// [foreign](crate::foreign()) calls.
///
/// When the limit has passed, they stop. If one of them has stopped for this limit and
/// `f` returns an error, whatever it is, the result is [`TimedOut`], as the caller's
/// error. An `Ok` passes, however late. If the stop comes from farther out (the thread is
/// requested to stop, or an outer limit has passed), the error of `f` passes unchanged, so
/// that the outer code stops too.
///
/// Limits nest, and the earliest counts. Entering and leaving costs a reading of the
/// clock and a few stores; there is no timer for each limit. One thread of the process,
/// which the first limit starts, wakes those whose limit has passed. A limit that passes
/// before its next wake-up wakes it once: a system call.
///
/// A loop in `f` that ignores a stop and goes on to fail for another reason gets
/// [`TimedOut`] for that error as well.
///
/// # Errors
///
/// [`TimedOut`], or the error of `f`.
///
/// # Panics
///
/// If the runtime cannot be installed (see [`backend`](crate::backend())), or if the
/// thread for the deadlines cannot be started. A panic of `f` leaves the scope.
///
/// # Examples
///
/// ```
/// use std::io;
/// use std::net::UdpSocket;
/// use std::time::Duration;
/// use stopruntime::{stoppable, within};
///
/// #[stoppable]
/// fn answer(socket: &UdpSocket) -> io::Result<usize> {
///     let mut buffer = [0; 16];
///     #[blocking]
///     let length = socket.recv(&mut buffer)?;
///     Ok(length)
/// }
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let error = within(Duration::from_millis(1), || answer(&socket)).unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
/// # Ok::<(), io::Error>(())
/// ```
///
/// A limit in a shield is for work that must be done after a stop, within a time:
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use stopruntime::{check, shield, within};
///
/// fn flush() -> io::Result<()> {
///     Ok(check()?) // and marked calls
/// }
/// # stopruntime::Stopper::current().request_stop();
/// shield(|| within(Duration::from_secs(1), flush))?;
/// # Ok::<(), io::Error>(())
/// ```
#[doc(alias = "time-out")]
#[doc(alias = "timeout")]
#[doc(alias = "deadline")]
#[inline]
pub fn within<T, E>(limit: Duration, f: impl FnOnce() -> Result<T, E>) -> Result<T, E>
where
    E: From<TimedOut>,
{
    under(clock::after(limit), limit.is_zero(), f)
}

/// Runs `f` until a deadline; see [`within`].
///
/// # Errors
///
/// [`TimedOut`], or the error of `f`.
///
/// # Panics
///
/// As [`within`].
///
/// # Examples
///
/// ```
/// use std::io;
/// use std::time::{Duration, Instant};
/// use stopruntime::ext::sleep_or_stop;
/// use stopruntime::until;
///
/// let deadline = Instant::now() + Duration::from_millis(1);
/// let sleep = || Ok::<_, io::Error>(sleep_or_stop(Duration::from_secs(60))?);
/// assert_eq!(until(deadline, sleep).unwrap_err().kind(), io::ErrorKind::TimedOut);
/// assert!(Instant::now() >= deadline);
/// ```
#[doc(alias = "deadline")]
#[doc(alias = "timeout")]
#[doc(alias = "time-out")]
#[inline]
pub fn until<T, E>(deadline: Instant, f: impl FnOnce() -> Result<T, E>) -> Result<T, E>
where
    E: From<TimedOut>,
{
    let deadline = clock::reading_of(deadline);
    under(deadline, deadline <= clock::now(), f)
}

#[inline]
fn under<T, E>(deadline: u64, is_late: bool, f: impl FnOnce() -> Result<T, E>) -> Result<T, E>
where
    E: From<TimedOut>,
{
    let entry = Entry::until(deadline);
    let inside = Inside::until(attach::own_or_made(), &entry, deadline, is_late);
    let result = f();
    drop(inside);
    match result {
        // mutant: only-own-stop-is-timed-out
        Err(_) if entry.owns_the_stop() => Err(TimedOut::left().into()),
        result => result,
    }
}

/// Returns the earliest deadline that the calling code is under, if there is one.
///
/// Hand it to foreign code that takes a time-out of its own.
///
/// # Examples
///
/// ```
/// use std::io;
/// use std::time::{Duration, Instant};
/// use stopruntime::{deadline, within};
///
/// assert_eq!(deadline(), None);
/// within(Duration::from_secs(1), || {
///     assert!(deadline().is_some_and(|deadline| deadline > Instant::now()));
///     Ok::<_, io::Error>(())
/// })?;
/// # Ok::<(), io::Error>(())
/// ```
#[must_use]
pub fn deadline() -> Option<Instant> {
    clock::instant_of(look::earliest())
}

/// Reports that the time of a [`within`] is over.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::ext::sleep_or_stop;
/// use stopruntime::{Stopped, TimedOut, within};
///
/// #[derive(Debug, PartialEq)]
/// enum Failed {
///     Late,
///     Stopped,
/// }
///
/// impl From<TimedOut> for Failed {
///     fn from(_: TimedOut) -> Failed {
///         Failed::Late
///     }
/// }
///
/// impl From<Stopped> for Failed {
///     fn from(_: Stopped) -> Failed {
///         Failed::Stopped
///     }
/// }
///
/// let sleep = || Ok::<(), Failed>(sleep_or_stop(Duration::MAX)?);
/// assert_eq!(within(Duration::from_millis(1), sleep), Err(Failed::Late));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimedOut(());

impl TimedOut {
    #[cold]
    fn left() -> TimedOut {
        told::tell(&Event::TimedOut);
        TimedOut(())
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the time limit has passed")
    }
}

impl Error for TimedOut {}

impl From<TimedOut> for io::Error {
    /// Of the kind [`io::ErrorKind::TimedOut`].
    fn from(timed_out: TimedOut) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, timed_out)
    }
}
