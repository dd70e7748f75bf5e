//! The ways to join the threads of a group.

use super::Group;
use crate::scope::Stopped;
use crate::thread::handle::ended_or_stop;
use crate::thread::{JoinHandle, Overdue};
use std::thread::{self, Result};
use std::time::{Duration, Instant};

impl<T> Group<T> {
    /// Joins the threads that have ended already, and returns what they returned, in the
    /// order in which they were started. A server that starts a thread for each
    /// connection calls it now and then, or the group grows.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::thread::Group;
    ///
    /// let mut sessions = Group::new();
    /// for number in 0..4 {
    ///     sessions.spawn(move || number);
    ///     for ended in sessions.join_ended() {
    ///         println!("session {} has ended", ended.unwrap());
    ///     }
    /// }
    /// ```
    pub fn join_ended(&mut self) -> Vec<Result<T>> {
        self.threads().extract_if(.., |handle| handle.is_finished()).map(JoinHandle::join).collect()
    }

    /// Waits until every thread of the group has ended, without a request, and returns
    /// what they returned, in the order in which they were started. The group is empty
    /// then, and can go on.
    ///
    /// # Panics
    ///
    /// If a thread of the group calls it: it would wait for itself.
    #[doc(alias = "pthread_join")]
    #[track_caller]
    pub fn join_all(&mut self) -> Vec<Result<T>> {
        let own = thread::current().id();
        let waits_for_itself = self.threads().iter().any(|handle| handle.thread().id() == own);
        assert!(!waits_for_itself, "a thread of the group would wait for itself");
        self.threads().drain(..).map(JoinHandle::join).collect()
    }

    /// Waits as [`join_all`](Group::join_all) does, stop-checked. If it is stopped, the
    /// group keeps all threads.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop of the calling thread is requested.
    ///
    /// # Panics
    ///
    /// As [`join_all`](Group::join_all).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread::Group, within};
    ///
    /// let mut sleepers = Group::new();
    /// sleepers.spawn(|| sleep_or_stop(Duration::MAX));
    /// let soon = Duration::from_millis(1);
    /// let joined = within(soon, || Ok::<_, std::io::Error>(sleepers.join_all_or_stop()?));
    /// assert!(joined.is_err());
    /// assert_eq!(sleepers.len(), 1); // which dropping it stops
    /// ```
    #[track_caller]
    pub fn join_all_or_stop(&mut self) -> std::result::Result<Vec<Result<T>>, Stopped> {
        // mutant: join-all-finds-ended-first
        for handle in &*self.threads() {
            ended_or_stop(handle.record(), None)?;
        }
        Ok(self.join_all())
    }

    /// Waits as [`join_all`](Group::join_all) does, at most this long in all.
    ///
    /// # Errors
    ///
    /// [`Overdue`], which names the threads that have not ended by then. The group keeps
    /// every thread.
    ///
    /// # Panics
    ///
    /// As [`join_all`](Group::join_all), if there is no limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::{ext::sleep_or_stop, thread::Group};
    ///
    /// let mut workers = Group::new();
    /// workers.spawn_named("sleeper", || sleep_or_stop(Duration::MAX));
    /// workers.spawn(|| Ok(()));
    /// let overdue = workers.join_timeout(Duration::from_millis(1)).unwrap_err();
    /// assert_eq!(overdue.threads()[0].name(), Some("sleeper"));
    /// workers.request_stop();
    /// assert_eq!(workers.join_timeout(Duration::MAX).unwrap().len(), 2);
    /// ```
    #[track_caller]
    pub fn join_timeout(
        &mut self,
        timeout: Duration,
    ) -> std::result::Result<Vec<Result<T>>, Overdue> {
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            // Further than the clock reaches: no limit.
            return Ok(self.join_all());
        };
        let late =
            self.threads().iter().filter(|handle| !handle.record().wait_until_ended(deadline));
        let threads: Vec<_> =
            late.map(|handle| (handle.thread().clone(), handle.report())).collect();
        if threads.is_empty() { Ok(self.join_all()) } else { Err(Overdue::new(threads)) }
    }
}
