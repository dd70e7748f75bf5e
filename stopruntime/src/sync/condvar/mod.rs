//! Condition variables.

mod futex;

use super::mutex::MutexGuard;
use super::wait::{OrStop, Plain, Wait, never};
use crate::scope::Stopped;
use futex::RawCondvar;
use std::fmt;
use std::sync::{LockResult, PoisonError};
use std::time::{Duration, Instant};

/// Lets a thread wait for a condition like [`std::sync::Condvar`], stop-checked.
///
/// A stopped wait does not take the mutex again: its guard is gone and the lock
/// is free, so that nothing stands between the request and the end of the wait.
/// A wait for a condition ends with the condition if that can be seen without
/// waiting: see [`Condvar::wait_while_or_stop`].
///
/// # Examples
///
/// ```
/// use stopruntime::sync::{Condvar, Mutex};
/// use stopruntime::thread;
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     let waiter = scope.spawn(|| {
///         let guard = ready.lock().unwrap();
///         changed.wait_while_or_stop(guard, |ready| !*ready).is_err()
///     });
///     waiter.request_stop();
///     assert!(waiter.join().unwrap());
/// });
/// ```
#[derive(Default)]
pub struct Condvar {
    raw: RawCondvar,
}

/// Says whether a wait ended because its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Returns whether the time was over.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

pub(super) type Waited<'lock, T, S> =
    Result<LockResult<(MutexGuard<'lock, T>, WaitTimeoutResult)>, S>;

impl Condvar {
    /// Creates a condition variable that no thread waits for.
    #[must_use]
    pub const fn new() -> Condvar {
        Condvar { raw: RawCondvar::new() }
    }

    /// Wakes one waiter.
    #[inline]
    pub fn notify_one(&self) {
        self.raw.notify_one();
    }

    /// Wakes all waiters.
    #[inline]
    pub fn notify_all(&self) {
        self.raw.notify_all();
    }

    pub(super) fn wait_as<'lock, W: Wait, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        deadline: Option<Instant>,
    ) -> Waited<'lock, T, W::Stop> {
        W::check()?;
        let mutex = guard.mutex();
        let result = WaitTimeoutResult(self.raw.wait::<W>(guard, deadline)?);
        Ok(match mutex.lock() {
            Ok(guard) => Ok((guard, result)),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), result))),
        })
    }

    fn wait_while_as<'lock, W: Wait, T>(
        &self,
        mut guard: MutexGuard<'lock, T>,
        deadline: Option<Instant>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Waited<'lock, T, W::Stop> {
        let mutex = guard.mutex();
        // mutant: false-condition-before-request
        while condition(&mut guard) {
            // A stop goes before the end of the time: what began late does not begin.
            W::check()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Ok((guard, WaitTimeoutResult(true))));
            }
            guard = match self.wait_as::<W, T>(guard, deadline) {
                Ok(Ok((guard, _))) => guard,
                Ok(poisoned) => return Ok(poisoned),
                Err(stop) => {
                    // mutant: condvar-stop-does-not-lock
                    let mut guard = mutex.try_lock_for_moments().ok_or(stop)?;
                    // mutant: condition-before-stop
                    let goes_on = condition(&mut guard);
                    return if goes_on {
                        Err(stop)
                    } else {
                        Ok(Ok((guard, WaitTimeoutResult(false))))
                    };
                }
            };
        }
        Ok(Ok((guard, WaitTimeoutResult(false))))
    }

    /// Waits for a notification; may return without one.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`], if a holder of the mutex panicked.
    pub fn wait<'lock, T>(&self, guard: MutexGuard<'lock, T>) -> LockResult<MutexGuard<'lock, T>> {
        alone(never(self.wait_as::<Plain, T>(guard, None)))
    }

    /// Waits as [`Condvar::wait`] does, stop-checked. Once notified, it waits for
    /// the mutex as `lock` does.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; the mutex is not held, and no
    /// notification was taken from the others.
    pub fn wait_or_stop<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
    ) -> Result<LockResult<MutexGuard<'lock, T>>, Stopped> {
        self.wait_as::<OrStop, T>(guard, None).map(alone)
    }

    /// Waits until the condition is false.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    pub fn wait_while<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'lock, T>> {
        alone(never(self.wait_while_as::<Plain, T>(guard, None, condition)))
    }

    /// Waits as [`Condvar::wait_while`] does, stop-checked. A condition that is
    /// already false takes precedence over a stop: there is nothing to wait for, and
    /// the guard is returned. So test for a stop elsewhere in a loop that never has
    /// to wait, as the checkpoint of a marked loop does.
    ///
    /// If it is stopped while it waits, it looks at the condition once more if the
    /// mutex is free. It does not wait for the mutex, whose holder may be waiting for
    /// this thread to end.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the condition was true, or the mutex
    /// was held by another thread. The mutex is not held, and no notification
    /// was taken from the others.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::Stopper;
    /// use stopruntime::sync::{Condvar, Mutex};
    ///
    /// let (jobs, changed) = (Mutex::new(vec!["last"]), Condvar::new());
    /// Stopper::current().request_stop();
    /// let mut guard = changed.wait_while_or_stop(jobs.lock().unwrap(), |jobs| jobs.is_empty());
    /// assert_eq!(guard.unwrap().unwrap().pop(), Some("last"));
    /// guard = changed.wait_while_or_stop(jobs.lock().unwrap(), |jobs| jobs.is_empty());
    /// assert!(guard.is_err());
    /// ```
    pub fn wait_while_or_stop<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> Result<LockResult<MutexGuard<'lock, T>>, Stopped> {
        self.wait_while_as::<OrStop, T>(guard, None, condition).map(alone)
    }

    /// Waits for a notification, at most this long.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    pub fn wait_timeout<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'lock, T>, WaitTimeoutResult)> {
        never(self.wait_as::<Plain, T>(guard, Instant::now().checked_add(timeout)))
    }

    /// Waits as [`Condvar::wait_timeout`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait_or_stop`].
    pub fn wait_timeout_or_stop<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        timeout: Duration,
    ) -> Result<LockResult<(MutexGuard<'lock, T>, WaitTimeoutResult)>, Stopped> {
        self.wait_as::<OrStop, T>(guard, Instant::now().checked_add(timeout))
    }

    /// Waits until the condition is false, at most this long.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    pub fn wait_timeout_while<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        timeout: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'lock, T>, WaitTimeoutResult)> {
        let deadline = Instant::now().checked_add(timeout);
        never(self.wait_while_as::<Plain, T>(guard, deadline, condition))
    }

    /// Waits as [`Condvar::wait_timeout_while`] does, stop-checked as
    /// [`Condvar::wait_while_or_stop`] is.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait_while_or_stop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::sync::{Condvar, Mutex};
    ///
    /// let (ready, changed) = (Mutex::new(false), Condvar::new());
    /// let (guard, soon) = (ready.lock().unwrap(), Duration::from_millis(1));
    /// let waited = changed.wait_timeout_while_or_stop(guard, soon, |ready| !*ready).unwrap();
    /// assert!(waited.unwrap().1.timed_out());
    /// ```
    pub fn wait_timeout_while_or_stop<'lock, T>(
        &self,
        guard: MutexGuard<'lock, T>,
        timeout: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> Result<LockResult<(MutexGuard<'lock, T>, WaitTimeoutResult)>, Stopped> {
        let deadline = Instant::now().checked_add(timeout);
        self.wait_while_as::<OrStop, T>(guard, deadline, condition)
    }
}

fn alone<T>(
    result: LockResult<(MutexGuard<'_, T>, WaitTimeoutResult)>,
) -> LockResult<MutexGuard<'_, T>> {
    match result {
        Ok((guard, _)) => Ok(guard),
        Err(poisoned) => Err(PoisonError::new(poisoned.into_inner().0)),
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Condvar").finish_non_exhaustive()
    }
}
