//! The owner's handle of a thread.

use crate::report::ThreadReport;
use crate::runtime::record::{END_AWAITED, Record};
use crate::scope::{self, Reason, Stopped, Stopper};
use std::fmt;
use std::os::unix::thread::{JoinHandleExt, RawPthread};
use std::sync::{Mutex, PoisonError};
use std::thread::{Result, Thread};
use std::time::{Duration, Instant};

/// What a join says of a handle that has given its thread away.
pub(super) const JOINED: &str = "the thread has been joined through this handle already";

/// Owns a thread: may stop it and may wait for it. Dropping it detaches the
/// thread, as in std; see [`stop_on_drop`](JoinHandle::stop_on_drop).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::ext::sleep_or_stop;
/// use stopruntime::thread;
///
/// let sleeper = thread::spawn(|| sleep_or_stop(Duration::MAX).is_err());
/// sleeper.request_stop();
/// assert!(sleeper.join().unwrap());
/// ```
pub struct JoinHandle<T> {
    inner: Mutex<Option<std::thread::JoinHandle<T>>>,
    thread: Thread,
    stopper: Stopper,
}

impl<T> JoinHandle<T> {
    super::of_every_handle!(std::thread::JoinHandle<T>);

    /// What the waits for the thread look at.
    pub(super) fn record(&self) -> &Record {
        self.stopper.record()
    }

    /// Waits for the thread, if nothing has done so: what it returned is dropped.
    pub(super) fn finish(&self) {
        if let Some(inner) = self.take() {
            drop(inner.join());
        }
    }
}

/// Waits, stop-checked, until the thread has ended; false if the deadline came
/// first.
pub(super) fn ended_or_stop(
    record: &Record,
    deadline: Option<Instant>,
) -> std::result::Result<bool, Stopped> {
    // mutant: join-sees-earlier-request
    // Also where the thread has ended already, and nothing would wait.
    scope::check()?;
    while !record.has_ended() {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(false);
        }
        crate::call::futex_wait_or_stop(record.await_end(), END_AWAITED, deadline)?;
    }
    Ok(true)
}

impl<T> AsRef<Stopper> for JoinHandle<T> {
    fn as_ref(&self) -> &Stopper {
        &self.stopper
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

impl<T> JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> RawPthread {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.as_ref().expect(JOINED).as_pthread_t()
    }

    fn into_pthread_t(self) -> RawPthread {
        self.take().expect(JOINED).into_pthread_t()
    }
}
