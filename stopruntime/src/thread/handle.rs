//! The owner's handle of a thread.

use crate::stop::{Stopped, Stopper};
use std::thread::{Result, Thread};
use std::time::{Duration, Instant};

/// Owns a thread: may stop it and may wait for it. Dropping it detaches the
/// thread, as in std.
#[derive(Debug)]
pub struct JoinHandle<T> {
    pub(super) inner: std::thread::JoinHandle<T>,
    pub(super) stopper: Stopper,
}

impl<T> JoinHandle<T> {
    /// Requests a stop and returns at once; see [`Stopper::request_stop`].
    #[doc(alias = "pthread_cancel")]
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop(&self) -> bool {
        self.stopper.request_stop()
    }

    /// Whether a stop has been requested.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.stopper.stop_requested()
    }

    /// A handle that only requests, to give away.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Requests a stop and waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// The payload of the panic that ended the thread.
    pub fn stop_and_join(self) -> Result<T> {
        self.request_stop();
        self.join()
    }

    /// Waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// The payload of the panic that ended the thread.
    #[doc(alias = "pthread_join")]
    pub fn join(self) -> Result<T> {
        self.inner.join()
    }

    /// Waits, stop-checked, until the thread has ended.
    pub(crate) fn ended_or_stop(&self) -> std::result::Result<(), Stopped> {
        crate::call::wait_while(self.stopper.record().ended(), 0)
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

    /// Whether the thread's function has returned.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// The thread's name and id.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.inner.thread()
    }
}
