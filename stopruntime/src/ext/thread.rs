//! [`std::thread`], stop-checked: sleeping, parking and joining.

use crate::ext::syscall;
use crate::kernel::clock::now;
use crate::runtime::attach;
use crate::scope::Stopped;
use crate::thread::{JoinHandle, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Sleeps as [`std::thread::sleep`] does, stop-checked. `futex(2)`, with a time-out alone.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{Stopper, ext::sleep_or_stop};
///
/// assert!(sleep_or_stop(Duration::from_millis(1)).is_ok());
/// Stopper::current().request_stop();
/// assert!(sleep_or_stop(Duration::MAX).is_err());
/// ```
#[doc(alias = "nanosleep")]
pub fn sleep_or_stop(duration: Duration) -> Result<(), Stopped> {
    // mutant: same-deadline-2
    syscall::sleep_until(now(libc::CLOCK_MONOTONIC).saturating_add(duration))
}

/// Sleeps as `std::thread::sleep_until` does, stop-checked. `futex(2)`, with a time-out alone.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, before or while it slept.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
/// use stopruntime::ext::sleep_until_or_stop;
///
/// let deadline = Instant::now() + Duration::from_millis(1);
/// assert!(sleep_until_or_stop(deadline).is_ok());
/// assert!(Instant::now() >= deadline);
/// ```
pub fn sleep_until_or_stop(deadline: Instant) -> Result<(), Stopped> {
    // An Instant does not tell its number; the distance does.
    sleep_or_stop(deadline.saturating_duration_since(Instant::now()))
}

/// Parks as [`std::thread::park`] does, stop-checked. It waits for std's own token,
/// the one that [`Thread::unpark`](std::thread::Thread::unpark) sets.
///
/// The token outlasts a stop: if one was set, it still is. A stop that finds the
/// thread parked always leaves one, as std does not tell whose it was, so that
/// the next `park` may return at once; every `park` may.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no token was taken.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use stopruntime::{Stopper, ext::park_or_stop};
///
/// thread::current().unpark();
/// assert!(park_or_stop().is_ok());
/// Stopper::current().request_stop();
/// assert!(park_or_stop().is_err());
/// ```
pub fn park_or_stop() -> Result<(), Stopped> {
    park_by(std::thread::park)
}

/// Parks as [`std::thread::park_timeout`] does, stop-checked; see [`park_or_stop`].
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and no token was taken.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{Stopper, ext::park_timeout_or_stop};
///
/// Stopper::current().request_stop();
/// assert!(park_timeout_or_stop(Duration::MAX).is_err());
/// ```
pub fn park_timeout_or_stop(timeout: Duration) -> Result<(), Stopped> {
    park_by(|| std::thread::park_timeout(timeout))
}

fn park_by(park: impl Fn()) -> Result<(), Stopped> {
    if attach::registered().park(park) { Ok(()) } else { Err(Stopped::returned()) }
}

/// Joins a thread, stop-checked: `join`.
///
/// # Examples
///
/// ```
/// use stopruntime::ext::JoinOrStop;
/// use stopruntime::thread;
///
/// let mut worker = thread::spawn(|| 7);
/// match worker.join_or_stop() {
///     Ok(value) => assert_eq!(value.unwrap(), 7),
///     Err(_stopped) => worker.stop_and_join().map(drop).unwrap(),
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it joins a thread",
    label = "this call has no stop-checked form",
    note = "start the thread with `stopruntime::thread`, whose handle can"
)]
pub trait JoinOrStop {
    /// What the plain call returns.
    type Output;

    /// Waits until the thread has ended.
    ///
    /// It borrows the handle: if it is stopped, the handle is as before. After the
    /// thread's value has been returned the handle owns no thread.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop of the calling thread is requested.
    ///
    /// # Panics
    ///
    /// If the handle has returned the thread's value already.
    fn join_or_stop(&self) -> Result<Self::Output, Stopped>;
}

impl<T> JoinOrStop for JoinHandle<T> {
    type Output = std::thread::Result<T>;

    #[track_caller]
    fn join_or_stop(&self) -> Result<std::thread::Result<T>, Stopped> {
        self.join_unless_stopped()
    }
}

impl<T> JoinOrStop for ScopedJoinHandle<'_, T> {
    type Output = std::thread::Result<T>;

    #[track_caller]
    fn join_or_stop(&self) -> Result<std::thread::Result<T>, Stopped> {
        self.join_unless_stopped()
    }
}
