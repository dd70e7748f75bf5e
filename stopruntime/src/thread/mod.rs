//! Threads that can be stopped: the shape of [`std::thread`].
//!
//! Any thread can be stopped, also one that std or a pool has started: it hands
//! out [`Stopper::current`](crate::Stopper::current). What this module adds is
//! that the handle can request. The rest of [`std::thread`] is here as it is, so
//! that `use stopruntime::thread` can take the place of `use std::thread`.

mod builder;
mod every_handle;
mod group;
mod handle;
mod overdue;
mod scope;
mod stop_on_drop;

use every_handle::of_every_handle;

use std::time::Instant;

pub use builder::Builder;
pub use group::Group;
pub use handle::JoinHandle;
pub use overdue::Overdue;
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use std::thread::{
    AccessError, LocalKey, Result, Thread, ThreadId, available_parallelism, current, panicking,
    park, park_timeout, sleep, yield_now,
};
pub use stop_on_drop::StopOnDrop;

/// Sleeps until `deadline`; returns at once if that has passed. For the mark
/// `#[blocking] thread::sleep_until(deadline)`, and without it as
/// [`std::thread::sleep_until`], which is not stable yet.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
/// use stopruntime::thread;
///
/// let deadline = Instant::now() + Duration::from_millis(1);
/// thread::sleep_until(deadline);
/// assert!(Instant::now() >= deadline);
/// ```
pub fn sleep_until(deadline: Instant) {
    sleep(deadline.saturating_duration_since(Instant::now()));
}

/// Starts a thread. It runs under no scope except its own, whatever the caller runs under;
/// [`Builder::under`] starts it under one.
///
/// # Panics
///
/// If the system cannot start one ([`Builder::spawn`] reports it), or if the
/// runtime cannot be installed; see [`backend`](crate::backend()).
///
/// # Examples
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
#[doc(alias = "jthread")]
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}
