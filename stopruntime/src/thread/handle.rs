//! The owner's handle of a thread.

use crate::record::END_AWAITED;
use crate::stop::{Stopped, Stopper};
use std::fmt;
use std::os::unix::thread::{JoinHandleExt, RawPthread};
use std::thread::{Result, Thread};
use std::time::{Duration, Instant};

/// Owns a thread: may stop it and may wait for it. Dropping it detaches the
/// thread, as in std.
pub struct JoinHandle<T> {
    pub(super) inner: std::thread::JoinHandle<T>,
    pub(super) stopper: Stopper,
}

impl<T> JoinHandle<T> {
    super::of_every_handle!();

    /// Waits, stop-checked, until the thread has ended.
    pub(crate) fn ended_or_stop(&self) -> std::result::Result<(), Stopped> {
        crate::call::wait_while(self.stopper.record().await_end(), END_AWAITED)
    }

    /// Waits at most this long; the destructors of the thread's thread-locals
    /// count as part of the thread.
    ///
    /// # Errors
    ///
    /// The handle itself if the thread has not ended by then.
    #[doc(alias = "pthread_timedjoin_np")]
    pub fn join_timeout(self, timeout: Duration) -> std::result::Result<Result<T>, JoinHandle<T>> {
        let ended = match Instant::now().checked_add(timeout) {
            Some(deadline) => self.stopper.record().wait_until_ended(deadline),
            // Further than the clock reaches: no limit.
            None => true,
        };
        if ended { Ok(self.inner.join()) } else { Err(self) }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

impl<T> JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> RawPthread {
        self.inner.into_pthread_t()
    }
}
