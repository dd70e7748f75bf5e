//! Threads that may borrow, and that end with their scope.
//!
//! # Safety
//!
//! The invariant of this module: a [`Scope`] stands outside of
//! `std::thread::scope` and outlives every thread of it.

#![allow(unsafe_code)]

use super::Builder;
use super::handle::{JOINED, ended_or_stop};
use crate::report::ThreadReport;
use crate::scope::{Reason, Stopped, Stopper};
use core::mem;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{Result, Scope as Inner, Thread};
use std::time::{Duration, Instant};
use std::{fmt, io};

/// Runs `f`, which may spawn threads that borrow from around the scope, and waits
/// for them all, as [`std::thread::scope`] does.
///
/// The threads are also stopped together: every thread of the scope is requested
/// to stop when `f` or one of them panics, and by [`Scope::request_stop`]. They are
/// stopped, too, with every scope that the caller runs under at the time of the call:
/// its thread, a job that it is part of ([`Stopper::run`]), and a time limit
/// ([`within`](crate::within)), but not a scope that a [`shield`](crate::shield) hides.
/// In any case the scope waits for them.
///
/// As in std, what a thread returns is dropped by that thread if its handle has
/// been dropped, and the scope waits for that destructor too. A request that comes
/// to the calling thread then is not handed on: a destructor that blocks for long
/// belongs to a value whose handle is joined.
///
/// # Panics
///
/// If `f` panics, or a thread whose handle was not joined has.
///
/// # Examples
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
#[doc(alias = "jthread")]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let stopper = Stopper::joined_with_all();
    // Out here, so that threads may hold on to it until the last one is joined.
    let place: OnceLock<Scope<'static, 'static>> = OnceLock::new();
    std::thread::scope(|inner| {
        // SAFETY: only a lifetime is changed, and the reference is reached through the
        // one below alone.
        let placed = place.get_or_init(|| unsafe {
            let inner = mem::transmute::<&Inner<'_, 'env>, &'static Inner<'static, 'static>>(inner);
            Scope { inner, stopper: stopper.clone() }
        });
        // SAFETY: gives the value its lifetimes back. It stands outside of
        // `std::thread::scope`, which returns only when no thread is left to use it.
        let scope = unsafe { mem::transmute::<&Scope<'static, 'static>, &Scope<'_, 'env>>(placed) };
        // mutant: panicking-closure-stops-threads
        let leave = StopOnPanic(&stopper);
        let value = f(scope);
        // mutant: only-own-panic-stops
        mem::forget(leave);
        value
    })
}

/// Requests the scope to stop when a panic drops it; a normal return forgets it.
/// `panicking()` would not distinguish that from a scope that a destructor runs
/// while its thread unwinds.
struct StopOnPanic<'a>(&'a Stopper);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.request_stop();
    }
}

/// Starts the threads of a [`scope`], which hands it to its closure.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{ext::sleep_or_stop, thread};
///
/// let limit = Duration::MAX;
/// thread::scope(|scope| {
///     let one = scope.spawn(|| sleep_or_stop(limit).is_err()); // borrows `limit`
///     let other = scope.spawn(|| sleep_or_stop(limit).is_err());
///     assert!(one.stop_and_join().unwrap()); // this one alone
///     scope.request_stop();
///     assert!(other.join().unwrap());
/// });
/// ```
pub struct Scope<'scope, 'env> {
    inner: &'scope Inner<'scope, 'env>,
    stopper: Stopper,
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
    /// use stopruntime::{ext::sleep_or_stop, thread};
    ///
    /// thread::scope(|scope| {
    ///     let sleeper = scope.spawn(|| sleep_or_stop(Duration::MAX).unwrap_err().reason());
    ///     scope.request_stop_because("reload");
    ///     assert_eq!(sleeper.join().unwrap().unwrap().as_str(), "reload");
    /// });
    /// ```
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop_because(&self, reason: impl Into<Reason>) -> bool {
        self.stopper.request_stop_because(reason)
    }

    /// Returns whether the scope is stopped: whether it has been requested to stop, or
    /// what it is stopped with has been.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.stopper.stop_requested()
    }

    /// Returns a handle that only requests, to give away.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::ext::sleep_or_stop;
    /// use stopruntime::thread;
    /// use std::time::Duration;
    ///
    /// thread::scope(|scope| {
    ///     let stopper = scope.stopper();
    ///     scope.spawn(|| sleep_or_stop(Duration::MAX).is_err());
    ///     scope.spawn(move || stopper.request_stop());
    /// });
    /// ```
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

impl AsRef<Stopper> for Scope<'_, '_> {
    fn as_ref(&self) -> &Stopper {
        &self.stopper
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

/// Owns a thread of a scope. Dropping it leaves the thread to the scope.
///
/// # Examples
///
/// As at [`Scope`].
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
    /// # Examples
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
        let f = move || {
            // mutant: panicking-thread-stops-others
            let leave = StopOnPanic(&scope.stopper);
            let value = f();
            mem::forget(leave);
            value
        };
        // mutant: threads-stand-under-their-scope
        let (inner, stopper) = self.spawn_inside(scope.inner, &scope.stopper, f)?;
        Ok(ScopedJoinHandle::new(inner, stopper))
    }
}

impl<T> AsRef<Stopper> for ScopedJoinHandle<'_, T> {
    fn as_ref(&self) -> &Stopper {
        &self.stopper
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
