//! The owner of any number of threads.

mod joins;

use super::{Builder, JoinHandle};
use crate::scope::{Reason, Stopper};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::{fmt, io};

/// Owns threads that are stopped together, and stops and joins them when it is
/// dropped. Unlike those of a [`scope`](super::scope), they may outlive the function
/// that starts them, as the group may.
///
/// A group that is shared, `&Group` or `Arc<Group>`, can be spawned into by several
/// threads, its own among them. A thread that drops the group it is part of does not
/// wait for itself.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{ext::sleep_or_stop, thread::Group};
///
/// let mut workers = Group::new();
/// for _ in 0..4 {
///     workers.spawn(|| sleep_or_stop(Duration::MAX).is_err());
/// }
/// workers.request_stop();
/// assert!(workers.join_all().into_iter().all(|stopped| stopped.unwrap()));
/// ```
#[doc(alias = "JoinSet")]
#[doc(alias = "TaskTracker")]
#[doc(alias = "rayon")]
#[doc(alias = "shutdown")]
#[doc(alias = "pool")]
pub struct Group<T> {
    stopper: Stopper,
    threads: Mutex<Vec<JoinHandle<T>>>,
}

impl<T: Send + 'static> Group<T> {
    /// Makes a group without threads. It is stopped alone, and not with the scopes that the
    /// caller runs under: that is [`under`](Group::under).
    #[must_use]
    pub fn new() -> Group<T> {
        Group::of(Stopper::new())
    }

    /// Makes a group that is stopped with this scope, or alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{Stopper, ext::sleep_or_stop, thread::Group};
    ///
    /// let service = Stopper::new();
    /// let mut sessions = Group::under(&service);
    /// sessions.spawn(|| sleep_or_stop(Duration::MAX).is_err());
    /// service.request_stop();
    /// assert!(sessions.join_all().remove(0).unwrap());
    /// ```
    #[must_use]
    pub fn under(scope: &Stopper) -> Group<T> {
        Group::of(scope.child())
    }

    fn of(stopper: Stopper) -> Group<T> {
        Group { stopper, threads: Mutex::default() }
    }

    /// Starts a thread of the group, and returns what stops this one alone.
    ///
    /// # Panics
    ///
    /// If the system cannot start it ([`spawn_with`](Group::spawn_with) reports it), or if the
    /// runtime cannot be installed; see [`backend`](crate::backend()).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread::Group};
    ///
    /// let mut sessions = Group::new();
    /// let first = sessions.spawn(|| sleep_or_stop(Duration::MAX).is_err());
    /// first.request_stop(); // this one alone
    /// assert!(sessions.join_all().remove(0).unwrap());
    /// ```
    #[track_caller]
    pub fn spawn<F: FnOnce() -> T + Send + 'static>(&self, f: F) -> Stopper {
        self.spawn_with(Builder::new(), f).expect("failed to spawn thread")
    }

    /// Starts a thread of the group with this name, by which
    /// [`Overdue`](crate::thread::Overdue) tells of it.
    ///
    /// # Panics
    ///
    /// If the name contains a null byte, if the system cannot start the thread
    /// ([`spawn_with`](Group::spawn_with) reports it), or if the runtime cannot be installed;
    /// see [`backend`](crate::backend()).
    #[track_caller]
    pub fn spawn_named<F: FnOnce() -> T + Send + 'static>(
        &self,
        name: impl Into<String>,
        f: F,
    ) -> Stopper {
        self.spawn_with(Builder::new().name(name.into()), f).expect("failed to spawn thread")
    }

    /// Starts a thread of the group with this name, stack size and
    /// [scope](Builder::under): it is stopped with either.
    ///
    /// # Errors
    ///
    /// As [`std::thread::Builder::spawn`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::thread::{Builder, Group};
    /// use stopruntime::{Stopper, ext::sleep_or_stop};
    ///
    /// let (mut sessions, job) = (Group::new(), Stopper::new());
    /// let builder = Builder::new().name("session".into()).under(&job);
    /// sessions.spawn_with(builder, || sleep_or_stop(Duration::MAX).is_err())?;
    /// job.request_stop(); // or `sessions.request_stop()`
    /// assert!(sessions.join_all().remove(0).unwrap());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_with<F: FnOnce() -> T + Send + 'static>(
        &self,
        builder: Builder,
        f: F,
    ) -> io::Result<Stopper> {
        // mutant: threads-stand-under-their-group
        let handle = builder.spawn_also_under(&self.stopper, f)?;
        let stopper = handle.stopper();
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        Ok(stopper)
    }
}

impl<T> Group<T> {
    /// Requests every thread of the group to stop, those that it will start as well,
    /// and returns at once. True if it is the first request.
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop(&self) -> bool {
        self.stopper.request_stop()
    }

    /// Requests a stop and says why; see [`Stopper::request_stop_because`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread::Group};
    ///
    /// let mut sessions = Group::new();
    /// sessions.spawn(|| sleep_or_stop(Duration::MAX).unwrap_err().reason());
    /// sessions.request_stop_because("reload");
    /// let reason = sessions.join_all().remove(0).unwrap();
    /// assert_eq!(reason.unwrap().as_str(), "reload");
    /// ```
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop_because(&self, reason: impl Into<Reason>) -> bool {
        self.stopper.request_stop_because(reason)
    }

    /// Returns whether the group is stopped: whether it has been requested to stop, or the
    /// scope that it is [under](Group::under) is stopped.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.stopper.stop_requested()
    }

    /// Returns a handle that only requests, to give away.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Takes the handles of all threads that have not been joined, in the order in which they
    /// were started. The group is empty then, and can go on.
    ///
    /// The threads stay under the group's scope: its requests reach them as before, that of its
    /// drop too. But the group no longer waits for them.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread::Group};
    ///
    /// let mut sessions = Group::new();
    /// sessions.spawn(|| sleep_or_stop(Duration::MAX).is_err());
    /// let handles = sessions.take_handles();
    /// assert!(sessions.is_empty());
    /// sessions.request_stop();
    /// for handle in handles {
    ///     assert!(handle.join().unwrap());
    /// }
    /// ```
    #[must_use = "dropping a handle detaches its thread"]
    pub fn take_handles(&mut self) -> Vec<JoinHandle<T>> {
        core::mem::take(self.threads())
    }

    /// Returns how many threads have been started and not joined.
    #[must_use]
    pub fn len(&self) -> usize {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns whether every thread that has been started has been joined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn threads(&mut self) -> &mut Vec<JoinHandle<T>> {
        self.threads.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Default for Group<T> {
    fn default() -> Group<T> {
        Group::new()
    }
}

impl<T> Drop for Group<T> {
    fn drop(&mut self) {
        // mutant: group-dropped-stops
        self.request_stop();
        let own = thread::current().id();
        for handle in self.threads().drain(..) {
            if handle.thread().id() != own {
                handle.finish();
            }
        }
    }
}

impl<T> AsRef<Stopper> for Group<T> {
    fn as_ref(&self) -> &Stopper {
        &self.stopper
    }
}

impl<T> fmt::Debug for Group<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Group").field("threads", &self.len()).finish_non_exhaustive()
    }
}
