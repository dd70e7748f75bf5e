//! One request for many handles.

use super::Stopper;
use crate::runtime::scopes::request;

/// Requests stops of all these threads and scopes, and returns how many of the requests
/// were the first ones.
///
/// Each handle is requested as by its own `request_stop`. Together they take no more time
/// than the system calls that end the threads' waits: the check that a request needs before
/// it may interrupt a thread is made once for 64 threads. Where threads start and
/// end together, a [`Stopper`] that they run under, a
/// [`thread::scope`](crate::thread::scope()) or a [`thread::Group`](crate::thread::Group)
/// does the same with one handle.
///
/// Async-signal-safe if the iterator is.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{ext::sleep_or_stop, request_stop_all, thread};
///
/// let sleep = || sleep_or_stop(Duration::MAX).is_err();
/// let sleepers: Vec<_> = (0..10).map(|_| thread::spawn(sleep)).collect();
/// assert_eq!(request_stop_all(&sleepers), 10);
/// for sleeper in sleepers {
///     assert!(sleeper.join().unwrap());
/// }
/// ```
#[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
pub fn request_stop_all<'a, S: AsRef<Stopper> + 'a>(
    handles: impl IntoIterator<Item = &'a S>,
) -> usize {
    request::request_all(handles.into_iter().map(|handle| &**handle.as_ref().scope()))
}

impl AsRef<Stopper> for Stopper {
    fn as_ref(&self) -> &Stopper {
        self
    }
}
