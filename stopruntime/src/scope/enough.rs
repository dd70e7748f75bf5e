//! Scopes for code that checks by the crate [`enough`] whether it is to stop: decoders
//! and other long computations.

use super::{Cause, Stopped, Stopper, check};
use ::enough::{Stop as Checks, StopReason};

/// Checks whether the calling code is to stop, as [`check`] does. Hand it to code that takes
/// an `impl enough::Stop` and checks it on the calling thread.
///
/// Code that checks on threads of its own takes a [`Stopper`], which is an `enough::Stop` as
/// well. What such code returns when it is stopped is an error of its own, whose stop
/// `#[blocking(as_is)]` does not find: write `check()?` behind it. In
/// [`within`](crate::within) it becomes [`TimedOut`](crate::TimedOut) by itself, if a
/// `Checkpoint` has found the stop.
///
/// # Examples
///
/// ```
/// use enough::{Stop, StopReason};
/// use stopruntime::{Checkpoint, Stopper};
///
/// /// Some crate's.
/// fn decode(data: &[u8], stop: impl Stop) -> Result<u64, StopReason> {
///     let mut sum = 0;
///     for chunk in data.chunks(1024) {
///         stop.check()?;
///         sum += chunk.iter().map(|&byte| u64::from(byte)).sum::<u64>();
///     }
///     Ok(sum)
/// }
///
/// let job = Stopper::new();
/// assert_eq!(job.run(|| decode(&[1, 2], Checkpoint)), Ok(3));
/// job.request_stop();
/// assert_eq!(job.run(|| decode(&[1, 2], Checkpoint)), Err(StopReason::Cancelled));
/// assert_eq!(decode(&[1, 2], &job), Err(StopReason::Cancelled));
/// assert_eq!(decode(&[1, 2], Checkpoint), Ok(3));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Checkpoint;

impl Checks for Checkpoint {
    #[inline]
    fn check(&self) -> Result<(), StopReason> {
        Ok(check()?)
    }
}

impl Checks for Stopper {
    /// Whether the scope is stopped, on any thread.
    fn check(&self) -> Result<(), StopReason> {
        Ok(Stopper::check(self)?)
    }
}

/// So that `?` works in code whose error is `enough`'s.
impl From<Stopped> for StopReason {
    fn from(stopped: Stopped) -> StopReason {
        match stopped.cause() {
            Cause::Requested => StopReason::Cancelled,
            Cause::Deadline => StopReason::TimedOut,
        }
    }
}
