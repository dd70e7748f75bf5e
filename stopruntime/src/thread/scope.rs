//! Threads that may borrow, and that are stopped when their scope is left.
//!
//! # Safety
//!
//! The invariant of this module: a [`Scope`] and the list it points to stand
//! outside of `std::thread::scope` and outlive every thread of it.

#![allow(unsafe_code)]

use super::Builder;
use crate::record::Record;
use crate::stop::Stopper;
use core::mem;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{Result, Scope as Inner, Thread};
use std::{fmt, io};

/// Runs `f`, which may spawn threads that borrow from around the scope; then
/// requests every thread still in it to stop, and joins them all: also when
/// `f` panics.
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
/// }); // all four are stopped here
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
        let _leave = Leave(&members);
        f(scope)
    })
}

/// Requests all members to stop, also when unwinding.
struct Leave<'a>(&'a Members);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The threads of a scope.
#[derive(Debug, Default)]
struct Members(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    /// The scope has been left: whoever comes now is requested at once.
    closed: bool,
    stoppers: Vec<Stopper>,
    /// When the list is this long, those that have ended are dropped.
    prune_at: usize,
}

impl Members {
    fn add(&self, stopper: Stopper) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.closed {
            stopper.request_stop();
            return;
        }
        if list.stoppers.len() >= list.prune_at {
            list.stoppers.retain(|stopper| !stopper.record().has_ended());
            list.prune_at = (list.stoppers.len() * 2).max(16);
        }
        list.stoppers.push(stopper);
    }

    fn close(&self) {
        let stoppers = {
            let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            list.closed = true;
            mem::take(&mut list.stoppers)
        };
        Record::request_all(stoppers.iter().map(Stopper::record));
    }
}

/// What [`scope`] hands to its closure.
#[derive(Debug)]
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
}

/// Owns a thread of a scope. Dropping it leaves the thread to the scope.
pub struct ScopedJoinHandle<'scope, T> {
    inner: std::thread::ScopedJoinHandle<'scope, T>,
    stopper: Stopper,
}

impl<T> ScopedJoinHandle<'_, T> {
    super::of_every_handle!();
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
        let (inner, stopper) = self.spawn_inside(scope.inner, f)?;
        scope.members.add(stopper.clone());
        Ok(ScopedJoinHandle { inner, stopper })
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
