//! The handle of a scope.

use super::{Reason, Stopped};
use crate::runtime::attach;
use crate::runtime::record::Record;
use crate::runtime::records::RecordRef;
use crate::runtime::scopes::cell::ScopeRef;
use crate::runtime::scopes::enter::{self, Inside};
use crate::runtime::scopes::look;
use crate::runtime::scopes::stack::Entry;
use crate::runtime::scopes::{clock, request};
use core::fmt;
use std::time::Instant;

/// Asks a scope to stop, from any thread and from a signal handler.
///
/// A scope is a thread, or what [`run`](Stopper::run) runs: a job on a thread of a pool,
/// or everything that a service does. While a scope is stopped, the marked calls in it
/// stop. Afterwards the thread that ran it goes on with something else, as if nothing
/// had happened.
///
/// # Examples
///
/// ```
/// use stopruntime::{Stopper, check};
///
/// let job = Stopper::new();
/// assert!(job.request_stop()); // the first request
/// assert!(!job.request_stop()); // there was one already
/// job.run(|| assert!(check().is_err()));
/// assert!(check().is_ok());
///
/// let thread = Stopper::current();
/// thread.request_stop();
/// assert!(check().is_err());
/// ```
///
/// Scopes may stand under each other. A child is stopped with its parent, or alone:
///
/// ```
/// use stopruntime::Stopper;
///
/// let service = Stopper::new();
/// let (session, other) = (service.child(), service.child());
/// session.request_stop();
/// assert!(!other.stop_requested());
/// service.request_stop();
/// assert!(other.stop_requested());
/// ```
#[doc(alias = "CancellationToken")]
#[doc(alias = "stop_token")]
#[doc(alias = "token")]
#[doc(alias = "shutdown")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Stopper {
    scope: ScopeRef,
}

impl Stopper {
    /// Makes a scope that stands under no other.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Stopper, check};
    ///
    /// let job = Stopper::new();
    /// job.request_stop();
    /// assert!(job.run(check).is_err());
    /// assert!(check().is_ok()); // the thread itself is not stopped
    /// ```
    #[must_use]
    pub fn new() -> Stopper {
        Stopper { scope: ScopeRef::new([], clock::NEVER) }
    }

    /// Makes a scope that is stopped with this one, or alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::Stopper;
    ///
    /// let service = Stopper::new();
    /// let session = service.child();
    /// session.request_stop();
    /// assert!(!service.stop_requested());
    /// ```
    #[doc(alias = "child_token")]
    #[must_use]
    pub fn child(&self) -> Stopper {
        Stopper { scope: ScopeRef::new([self.scope.clone()], clock::NEVER) }
    }

    /// Returns the innermost scope of the calling code.
    ///
    /// It is the scope of the innermost [`run`](Stopper::run) or [`within`](crate::within), or
    /// the thread's own.
    ///
    /// It may be one that a [`shield`](crate::shield) hides, except the scope of a
    /// `within`. A request to the scope of a `within` stops the code in it as if its time
    /// were over, but the error stays a stop. Once the `within` has been left, nothing runs
    /// under its scope.
    ///
    /// The stop signal is unblocked in a thread that hands out a `Stopper`
    /// ([`Backend::Ppoll`](crate::Backend::Ppoll): blocked, except while it waits).
    ///
    /// # Panics
    ///
    /// If the runtime cannot be installed; see [`backend`](crate::backend()).
    #[must_use]
    #[track_caller]
    pub fn current() -> Stopper {
        attach::registered();
        match enter::innermost() {
            Some(scope) => Stopper { scope },
            None => Stopper::of(attach::shared()),
        }
    }

    /// The handle of a thread that has not started yet.
    pub(crate) fn of(record: RecordRef) -> Stopper {
        Stopper { scope: record.into_scope() }
    }

    /// A scope that is stopped with all that the calling code can see.
    pub(crate) fn joined_with_all() -> Stopper {
        attach::registered();
        Stopper { scope: enter::joined_with_all() }
    }

    pub(crate) fn into_scope(self) -> ScopeRef {
        self.scope
    }

    pub(super) fn scope(&self) -> &ScopeRef {
        &self.scope
    }

    /// The record of the thread whose own scope it is.
    pub(crate) fn record(&self) -> &Record {
        self.scope.record().expect("the scope of a thread")
    }

    /// Runs `f` under this scope on the calling thread.
    ///
    /// While the scope or one above it is stopped, marked calls in `f` stop. The scopes
    /// that the calling code is already under stay in force, and each of them can stop `f`.
    /// Any number of threads may run under a scope at the same time, and one thread may
    /// do so several times, one inside the other. If the scope is stopped already, the
    /// first marked call in `f` stops.
    ///
    /// Entering costs a few stores: no lock, no system call, and no allocation for up to
    /// eight scopes inside each other.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be installed; see [`backend`](crate::backend()). A panic of
    /// `f` leaves the scope.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Stopper, ext::sleep_or_stop};
    /// use std::time::Duration;
    ///
    /// let job = Stopper::new();
    /// let worker = std::thread::spawn({
    ///     let job = job.clone();
    ///     move || {
    ///         assert!(job.run(|| sleep_or_stop(Duration::MAX)).is_err());
    ///         // The next job is not stopped.
    ///         assert!(sleep_or_stop(Duration::from_millis(1)).is_ok());
    ///     }
    /// });
    /// job.request_stop();
    /// worker.join().unwrap();
    /// ```
    #[doc(alias = "pool")]
    #[doc(alias = "rayon")]
    #[doc(alias = "spawn_blocking")]
    #[inline]
    #[track_caller]
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let entry = Entry::run(&self.scope);
        let _inside = Inside::run(attach::own_or_made(), &entry, &self.scope);
        f()
    }

    /// Requests a stop and returns at once: true for the first request.
    ///
    /// The request stays until the scope is left; that to a thread, until the thread ends.
    /// A request ends the marked calls that the threads under this scope, or under a
    /// child, are in or about to enter; code that is not marked never notices.
    /// Async-signal-safe: it neither locks nor allocates (signal-safety(7)). Setting or asking for
    /// deadlines is not, on a processor without atomic words of 64 bits: see
    /// [`stop_requested`](Stopper::stop_requested).
    ///
    /// A signal handler that interrupts this call must return to it. If the handler leaves
    /// it by `siglongjmp(3)`, or ends the thread, a signal may stay announced that is never
    /// sent, and the thread that should receive it waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Stopper, ext::sleep_or_stop};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// // A thread that std has started hands out its stopper.
    /// let (sender, receiver) = mpsc::channel();
    /// let sleeper = std::thread::spawn(move || {
    ///     sender.send(Stopper::current()).unwrap();
    ///     sleep_or_stop(Duration::MAX).is_err()
    /// });
    /// receiver.recv().unwrap().request_stop();
    /// assert!(sleeper.join().unwrap());
    /// ```
    #[doc(alias = "interrupt")]
    #[doc(alias = "ctrl-c")]
    #[doc(alias = "SIGINT")]
    #[doc(alias = "pthread_cancel")]
    #[doc(alias = "cancel")]
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop(&self) -> bool {
        request::request(&self.scope, None)
    }

    /// Requests a stop and says why.
    ///
    /// [`Stopped::reason`](crate::Stopped::reason) returns the reason; the first one stays.
    /// Async-signal-safe if the reason is a literal or was made before.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Stopper, check};
    ///
    /// let service = Stopper::new();
    /// service.request_stop_because("reload");
    /// let stopped = service.child().run(check).unwrap_err();
    /// assert_eq!(stopped.reason().unwrap().as_str(), "reload");
    /// ```
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop_because(&self, reason: impl Into<Reason>) -> bool {
        request::request(&self.scope, Some(reason.into()))
    }

    /// Stops the scope at this time; of several times, the earliest counts.
    ///
    /// # Panics
    ///
    /// If the thread for the deadlines cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use stopruntime::{Cause, Stopper, ext::sleep_or_stop};
    ///
    /// let job = Stopper::new();
    /// job.request_stop_at(Instant::now() + Duration::from_millis(1));
    /// let stopped = job.run(|| sleep_or_stop(Duration::MAX)).unwrap_err();
    /// assert_eq!(stopped.cause(), Cause::Deadline);
    /// ```
    #[doc(alias = "deadline")]
    #[doc(alias = "timeout")]
    #[doc(alias = "time-out")]
    pub fn request_stop_at(&self, deadline: Instant) {
        request::request_at(&self.scope, clock::reading_of(deadline));
    }

    /// Returns whether the scope is stopped.
    ///
    /// It is if the scope, or one above it, has been requested to stop or is past its
    /// deadline.
    ///
    /// Async-signal-safe where the processor has atomic words of 64 bits. Elsewhere (32-bit
    /// PowerPC and MIPS, Armv5) deadlines are kept under a lock: a handler that interrupts
    /// code which holds the lock would wait for ever. On those processors a handler may only
    /// request stops: it must not ask, check, or open or set limits.
    #[doc(alias = "is_cancelled")]
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        look::is_stopped(&self.scope)
    }

    /// Fails if the scope is stopped, on any thread: for a computation that is spread over
    /// threads which do not run under the scope. Under it, [`check`](crate::check()) costs less.
    ///
    /// With the feature `enough`, the trait `enough::Stop` has a method of this name. This one
    /// is called by `stopper.check()`, and the trait's by code that takes an `impl Stop`; in a
    /// function whose error is `enough::StopReason`, `?` converts.
    ///
    /// # Errors
    ///
    /// [`Stopped`], with the cause and the reason. For a thread that is not to stop itself it is
    /// an ordinary error.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Stopped, Stopper};
    ///
    /// fn sum(numbers: &[u64], job: &Stopper) -> Result<u64, Stopped> {
    ///     let mut sum = 0;
    ///     for chunk in numbers.chunks(4096) {
    ///         job.check()?;
    ///         sum += chunk.iter().sum::<u64>();
    ///     }
    ///     Ok(sum)
    /// }
    /// let job = Stopper::new();
    /// let halves = [[1, 2], [3, 4]];
    /// let sums = std::thread::scope(|scope| {
    ///     halves.each_ref().map(|half| scope.spawn(|| sum(half, &job))).map(|it| it.join().unwrap())
    /// });
    /// assert_eq!(sums, [Ok(3), Ok(7)]);
    /// job.request_stop_because("reload");
    /// assert_eq!(sum(&[1], &job).unwrap_err().reason().unwrap().as_str(), "reload");
    /// ```
    #[doc(alias = "throw_if_cancelled")]
    pub fn check(&self) -> Result<(), Stopped> {
        look::stop_of_scope(&self.scope).map_or(Ok(()), |stop| Err(Stopped::of_scope(stop)))
    }
}

impl Default for Stopper {
    fn default() -> Stopper {
        Stopper::new()
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Stopper")
            .field("stop_requested", &self.stop_requested())
            .finish_non_exhaustive()
    }
}
