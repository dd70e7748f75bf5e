//! Threads that can be stopped: the shape of [`std::thread`].
//!
//! Any thread can be stopped, also one that std or a pool has started: it hands
//! out [`Stopper::current`](crate::Stopper::current). What this module adds is
//! that the handle can request. The rest of [`std::thread`] is here as it is, so
//! that `use stopruntime::thread` can take the place of `use std::thread`.

/// The methods of both kinds of handle, over `inner` and `stopper`.
macro_rules! of_every_handle {
    () => {
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
    };
}
use of_every_handle;

mod builder;
mod handle;
mod scope;

pub use builder::Builder;
pub use handle::JoinHandle;
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use std::thread::{
    AccessError, LocalKey, Result, Thread, ThreadId, available_parallelism, current, panicking,
    park, park_timeout, sleep, yield_now,
};

/// Starts a thread.
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::{ext::RecvOrStop, thread};
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let receiver = thread::spawn(move || socket.recv_or_stop(&mut [0; 16]).is_err());
/// assert!(receiver.stop_and_join().unwrap());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
///
/// If the system cannot start one ([`Builder::spawn`] reports it), or if the
/// runtime cannot be installed; see [`backend`](crate::backend()).
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}
