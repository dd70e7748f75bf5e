//! Threads that may borrow, and that end with their scope.
//!
//! # Safety
//!
//! The invariant of this module: a [`Scope`] and the list it points to stand
//! outside of `std::thread::scope` and outlive every thread of it.

#![allow(unsafe_code)]

use super::Builder;
use super::handle::{JOINED, ended_or_stop};
use crate::runtime::current;
use crate::runtime::futex::futex_wake;
use crate::runtime::record::Record;
use crate::scope::{Stopped, Stopper};
use core::mem;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Result, Scope as Inner, Thread};
use std::time::{Duration, Instant};
use std::{fmt, io};

/// Runs `f`, which may spawn threads that borrow from around the scope, and waits
/// for them all, as [`std::thread::scope`] does.
///
/// The threads are also stopped together: every thread of the scope is requested
/// to stop when `f` or one of them panics, when the calling thread is requested to
/// stop as it waits for them (not in a [`shield`](crate::shield)), and by
/// [`Scope::request_stop`].
///
/// ```
/// use std::net::UdpSocket;
/// use stopruntime::ext::RecvOrStop;
/// use stopruntime::thread;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| {
///             let mut buffer = [0; 16];
///             socket.recv_or_stop(&mut buffer).unwrap_err()
///         });
///     }
///     scope.request_stop(); // or it would wait for four datagrams
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
///
/// If `f` panics, or a thread whose handle was not joined has.
#[doc(alias = "jthread")]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let members = Members::default();
    // Out here, so that threads may hold on to it until the last one is joined.
    let place: OnceLock<Scope<'static, 'static>> = OnceLock::new();
    std::thread::scope(|inner| {
        // SAFETY: only lifetimes are changed, and the references are reached
        // through the one below alone.
        let placed = place.get_or_init(|| unsafe {
            Scope {
                inner: mem::transmute::<&Inner<'_, 'env>, &'static Inner<'static, 'static>>(inner),
                members: mem::transmute::<&Members, &'static Members>(&members),
            }
        });
        // SAFETY: gives the value its lifetimes back. It, what it points to and
        // `members` stand outside of `std::thread::scope`, which returns only
        // when no thread is left to use them.
        let scope = unsafe { mem::transmute::<&Scope<'static, 'static>, &Scope<'_, 'env>>(placed) };
        // mutant: scope-whose-closure-panics-stops
        let leave = StopOnPanic(&members);
        let value = f(scope);
        // mutant: scope-stopped-by-panic-own
        mem::forget(leave);
        members.wait();
        value
    })
}

/// Requests all members to stop when it is dropped, by a panic: what returns
/// forgets it. `panicking()` would not tell that from a scope that a destructor
/// runs while its thread unwinds.
struct StopOnPanic<'a>(&'a Members);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.request_stop();
    }
}

/// The threads of a scope.
#[derive(Debug, Default)]
struct Members {
    list: Mutex<List>,
    /// Those that have not returned; what the scope's end waits on.
    running: AtomicU32,
}

#[derive(Debug, Default)]
struct List {
    /// A thread that comes now is requested at once.
    requested: bool,
    stoppers: Vec<Stopper>,
    /// When the list is this long, those that have ended are dropped.
    prune_at: usize,
}

impl Members {
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, stopper: Stopper) {
        let mut list = self.list();
        if list.requested {
            // mutant: also-who-comes-when-requested
            stopper.request_stop();
            return;
        }
        if list.stoppers.len() >= list.prune_at {
            // mutant: scope-forgets-those-alone-ended
            list.stoppers.retain(|stopper| !stopper.record().has_ended());
            list.prune_at = (list.stoppers.len() * 2).max(16);
        }
        list.stoppers.push(stopper);
    }

    fn request_stop(&self) -> bool {
        let (first, stoppers) = {
            let mut list = self.list();
            (!mem::replace(&mut list.requested, true), mem::take(&mut list.stoppers))
        };
        // mutant: all-threads-scope-requested-with
        Record::request_all(stoppers.iter().map(Stopper::record));
        first
    }

    /// Waits until all have returned. If the calling thread is to stop meanwhile,
    /// so are they.
    fn wait(&self) {
        // Nothing can stop a thread that nothing has a handle of: std waits then.
        // mutant: who-waits-for-scope-hands
        if current::can_be_requested() && self.all_returned_or_stop().is_err() {
            self.request_stop();
        }
    }

    fn all_returned_or_stop(&self) -> std::result::Result<(), Stopped> {
        loop {
            let running = self.running.load(Ordering::Acquire);
            if running == 0 {
                return Ok(());
            }
            crate::call::futex_wait_or_stop(&self.running, running, None)?;
        }
    }
}

/// A thread of a scope, until its function has returned.
struct Running<'a>(&'a Members);

impl Running<'_> {
    fn new(members: &Members) -> Running<'_> {
        members.running.fetch_add(1, Ordering::Relaxed);
        Running(members)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::Release) == 1 {
            futex_wake(&self.0.running);
        }
    }
}

/// What [`scope`] hands to its closure.
pub struct Scope<'scope, 'env> {
    inner: &'scope Inner<'scope, 'env>,
    members: &'scope Members,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread of the scope.
    ///
    /// # Panics
    ///
    /// If the system cannot start one; [`Builder::spawn_scoped`] reports it.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("failed to spawn thread")
    }

    /// Requests every thread of the scope to stop, those that it will start as
    /// well, and returns at once. True if it is the first request.
    ///
    /// Unlike [`Stopper::request_stop`] it locks, so a signal handler must not
    /// call it.
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop(&self) -> bool {
        self.members.request_stop()
    }

    /// Returns whether the scope has been requested to stop.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.members.list().requested
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

/// Owns a thread of a scope. Dropping it leaves the thread to the scope.
pub struct ScopedJoinHandle<'scope, T> {
    inner: Mutex<Option<std::thread::ScopedJoinHandle<'scope, T>>>,
    thread: Thread,
    stopper: Stopper,
}

impl<'scope, T> ScopedJoinHandle<'scope, T> {
    super::of_every_handle!(std::thread::ScopedJoinHandle<'scope, T>);
}

impl Builder {
    /// Starts a thread of the scope with this name and stack size.
    ///
    /// # Errors
    ///
    /// As [`std::thread::Builder::spawn_scoped`].
    ///
    /// ```
    /// use stopruntime::thread;
    ///
    /// let name = thread::scope(|scope| {
    ///     let builder = thread::Builder::new().name("worker".into());
    ///     let worker = builder.spawn_scoped(scope, || thread::current().name().map(String::from))?;
    ///     Ok::<_, std::io::Error>(worker.join().unwrap())
    /// })?;
    /// assert_eq!(name.as_deref(), Some("worker"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let running = Running::new(scope.members);
        let f = move || {
            let running = running;
            // Dropped before that one, which wakes the scope's end.
            // mutant: scope-one-whose-threads-panics
            let leave = StopOnPanic(running.0);
            let value = f();
            mem::forget(leave);
            value
        };
        let (inner, stopper) = self.spawn_inside(scope.inner, f)?;
        scope.members.add(stopper.clone());
        Ok(ScopedJoinHandle::new(inner, stopper))
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
