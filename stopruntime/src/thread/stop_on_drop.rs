//! The owner of a thread that does not outlive it.

use super::JoinHandle;
use crate::scope::Stopper;
use std::fmt;
use std::ops::Deref;
use std::thread::{self, Result};
use std::time::Duration;

/// Owns a thread and, when it is dropped, requests its stop and joins it: C++20's
/// `jthread`. Made by [`JoinHandle::stop_on_drop`].
///
/// The drop passes on neither a panic that has ended the thread nor the thread's
/// return value: [`stop_and_join`](StopOnDrop::stop_and_join) does. If the thread itself drops it, the
/// drop only requests the stop. A drop waits for the thread even if its own thread is to stop.
///
/// # Examples
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::ext::RecvOrStop;
/// use stopruntime::thread::{self, StopOnDrop};
///
/// struct Receiver {
///     thread: StopOnDrop<()>,
/// }
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let receive = move || while socket.recv_or_stop(&mut [0; 16]).is_ok() {};
/// let receiver = Receiver { thread: thread::spawn(receive).stop_on_drop() };
/// assert!(!receiver.thread.is_finished());
/// drop(receiver); // stops the thread and joins it
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "dropped at once, it stops the thread at once"]
pub struct StopOnDrop<T> {
    handle: Option<JoinHandle<T>>,
}

impl<T> JoinHandle<T> {
    /// Returns a guard that stops and joins the thread when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread};
    ///
    /// struct Ticker(#[allow(dead_code)] thread::StopOnDrop<()>);
    ///
    /// let tick = || while sleep_or_stop(Duration::from_secs(1)).is_ok() {};
    /// let ticker = Ticker(thread::spawn(tick).stop_on_drop());
    /// drop(ticker); // its thread has ended
    /// ```
    #[doc(alias = "jthread")]
    pub fn stop_on_drop(self) -> StopOnDrop<T> {
        StopOnDrop::new(self)
    }
}

const OWNED: &str = "the handle is there until the guard is gone";

impl<T> StopOnDrop<T> {
    pub(super) fn new(handle: JoinHandle<T>) -> StopOnDrop<T> {
        StopOnDrop { handle: Some(handle) }
    }

    /// Gives the handle back: dropped, it detaches the thread.
    #[allow(clippy::missing_panics_doc, reason = "it is there")]
    #[must_use = "dropped, the handle detaches the thread"]
    pub fn into_handle(mut self) -> JoinHandle<T> {
        self.handle.take().expect(OWNED)
    }

    /// Waits until the thread has ended, without a request; see
    /// [`JoinHandle::join`].
    ///
    /// # Errors
    ///
    /// The payload of the panic that ended the thread.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.into_handle().join()
    }

    /// Requests a stop and waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// The payload of the panic that ended the thread.
    #[track_caller]
    pub fn stop_and_join(self) -> Result<T> {
        self.into_handle().stop_and_join()
    }

    /// Waits at most this long, without a request; see
    /// [`JoinHandle::join_timeout`].
    ///
    /// # Errors
    ///
    /// The guard itself if the thread has not ended by then.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread};
    ///
    /// let sleeper = thread::spawn(|| sleep_or_stop(Duration::MAX)).stop_on_drop();
    /// let sleeper = sleeper.join_timeout(Duration::from_millis(1)).expect_err("it sleeps");
    /// drop(sleeper); // stops and joins it
    /// ```
    #[track_caller]
    pub fn join_timeout(self, timeout: Duration) -> std::result::Result<Result<T>, StopOnDrop<T>> {
        self.into_handle().join_timeout(timeout).map_err(StopOnDrop::new)
    }
}

impl<T> Deref for StopOnDrop<T> {
    type Target = JoinHandle<T>;

    fn deref(&self) -> &JoinHandle<T> {
        self.handle.as_ref().expect(OWNED)
    }
}

impl<T> AsRef<Stopper> for StopOnDrop<T> {
    fn as_ref(&self) -> &Stopper {
        (**self).as_ref()
    }
}

impl<T> fmt::Debug for StopOnDrop<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StopOnDrop").finish_non_exhaustive()
    }
}

impl<T> Drop for StopOnDrop<T> {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        handle.request_stop();
        if handle.thread().id() != thread::current().id() {
            handle.finish();
        }
    }
}
