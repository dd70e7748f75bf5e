//! Regions of foreign code: see [`foreign`].

mod inside;
mod support;
#[cfg(any(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
    target_arch = "riscv64"
))]
mod ways;
#[cfg(not(any(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
    target_arch = "riscv64"
)))]
#[path = "none.rs"]
mod ways;

pub(crate) use inside::{Inside, Paused};
pub(crate) use support::expected;
pub use support::{ForeignSupport, foreign_support};
pub use ways::FOREIGN_CALLS;
pub(crate) use ways::{after_fork, end, hold, is_tick, on_signal, raise, resume};

use crate::scope::Stopped;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

/// Runs code that knows nothing of stops, and ends it when a stop is requested: from then
/// on until `f` has returned, each system call of this thread that would wait fails with an
/// error, so that the code's own error handling brings the thread back.
///
/// Whatever made the call, std, a C library or libc itself, gets an error of its own:
/// `ECANCELED` from a read, `EAI_AGAIN` from a resolver, a failed handshake. Calls that do
/// not wait run. [`FOREIGN_CALLS`] says what each call gives.
///
/// **What was used in a region that was stopped is to be dropped**, not used again: a
/// database connection whose query was stopped may still believe itself to be idle, and
/// would read the old answer to its next query. [`foreign_reset`] makes sockets say that
/// they were reset.
///
/// # What ends a region
///
/// All that ends a marked call here: a request, a deadline, a scope around it
/// ([`Stopper::run`](crate::Stopper::run), [`within`](crate::within())). In a
/// [`shield`](crate::shield()) inside the region, or once an inner scope that was stopped has
/// been left, calls run normally.
/// Until something is stopped the region costs a few stores, and its calls
/// cost what they cost outside.
///
/// # What does not end
///
/// - Locks: `std::sync::Mutex`, `Condvar`, `mpsc`, a `join`, any wait in `futex(2)`. No
///   result of that call means "give up", and an error of it aborts glibc. Stop the thread
///   that holds the lock; then the next call of this one that would wait fails.
/// - Code that computes, or that tries again for ever.
/// - Event loops that wait for no socket and no pipe (timers, channels): an error would
///   abort them. Use what they have themselves to be woken.
/// - Waits in the kernel that no signal ends (a disk, NFS).
///
/// # What is promised of the rest
///
/// A call that has taken effect returns its result, and so does `f`: the stop is seen by
/// the next mark. A call that was ended had no effect. Leaving the region leaves nothing
/// behind: no signal, no mask, no timer. Other threads, signal handlers, children and a
/// handler of `SIGSYS` are as without it, with these exceptions, from the stop until the
/// region is left:
///
/// - Handlers that run on the thread meet the same errors. Signals whose handlers block
///   `SIGSYS` wait.
/// - A call that the kernel never restarts (poll, sleeps, a receive with a time-out) may
///   return `EINTR` once, as it may for any signal.
/// - `Command::output` of std panics, and `thread::sleep` returns early; use the marked
///   calls for those.
/// - Operations of `io_uring(7)` in flight stay so, a connect goes on in the kernel until
///   the socket is closed, and children of `system(3)` are left running.
/// - The thread has a larger alternate signal stack, unless its own is large.
/// - A thread that leaves `f` by `siglongjmp(3)`, past this function's frame, stays armed.
/// - A handler of `SIGSYS` that another thread installs meanwhile gets the calls of this
///   one, and so must not be installed while regions are stopped; a handler that blocks
///   `SIGSYS` and that another thread installs meanwhile may end the process.
///
/// # Where
///
/// [`foreign_support`] says which way is used: on x86-64 with Linux 5.11 the kernel hands
/// each call over ([`ForeignSupport::Dispatch`]); else a timer looks where the thread waits
/// ([`ForeignSupport::Tick`]), which does not see calls that do not wait: event loops that
/// poll non-blocking sockets by epoll are not ended there, nor is anything while the thread
/// blocks the stop signal. On [`Backend::Ppoll`](crate::Backend::Ppoll) entering and leaving
/// a region costs two system calls. On other architectures `f` runs,
/// and nothing ends it ([`ForeignSupport::None`]).
///
/// # Errors
///
/// [`Stopped`] if a stop came before `f` began. Afterwards what `f` returns, whatever it is.
///
/// # Panics
///
/// If the runtime cannot be installed; see [`backend`](crate::backend()). A panic of `f`
/// leaves the region.
///
/// # Examples
///
/// ```
/// use std::io::Read;
/// use std::net::{TcpListener, TcpStream};
/// use stopruntime::{foreign, thread};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut stream = TcpStream::connect(listener.local_addr()?)?;
/// // Stands for any library's call.
/// let query = move || stream.read(&mut [0; 16]);
/// let worker = thread::spawn(move || foreign(query));
/// worker.request_stop();
/// match worker.join().unwrap() {
///     Err(_stopped) => {} // before the query began
///     Ok(answer) => assert!(answer.is_err()),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "ffi")]
#[doc(alias = "interrupt")]
#[inline]
pub fn foreign<R>(f: impl FnOnce() -> R) -> Result<R, Stopped> {
    let _inside = Inside::enter()?;
    Ok(f())
}

/// Runs foreign code as [`foreign`] does; but from the stop on reads and writes of sockets
/// say `ECONNRESET`, so that a library that would keep the connection gives it up: with an
/// answer that is still to come, or with half of a request on it.
///
/// What goes without waiting is sent all the same, as [`FOREIGN_CALLS`] says. The peer sees
/// no reset; it sees that the library closes the connection. By a timer
/// ([`ForeignSupport::Tick`]) a `poll` or `select` with nothing ready fails as in [`foreign`],
/// and a library that waits in one, such as libpq, may keep the connection.
///
/// # Errors
///
/// As [`foreign`].
///
/// # Panics
///
/// As [`foreign`].
///
/// # Examples
///
/// ```
/// use stopruntime::{Stopper, foreign_reset};
///
/// assert_eq!(foreign_reset(|| 1), Ok(1));
/// Stopper::current().request_stop();
/// assert!(foreign_reset(|| 1).is_err());
/// ```
#[inline]
pub fn foreign_reset<R>(f: impl FnOnce() -> R) -> Result<R, Stopped> {
    let inside = Inside::enter()?;
    let _resets = Resets::begin(&inside);
    Ok(f())
}

/// Calls of sockets say `ECONNRESET`, until it is dropped.
pub(crate) struct Resets<'region>(&'region AtomicBool, bool);

impl<'region> Resets<'region> {
    /// In a region that is open, if the thread has a record.
    #[inline]
    pub(crate) fn begin(inside: &Inside<'region>) -> Option<Resets<'region>> {
        let resets = &inside.record()?.region.resets;
        let before = resets.load(Relaxed);
        resets.store(true, Relaxed);
        Some(Resets(resets, before))
    }
}

impl Drop for Resets<'_> {
    fn drop(&mut self) {
        self.0.store(self.1, Relaxed);
    }
}
