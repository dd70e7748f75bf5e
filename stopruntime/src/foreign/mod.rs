//! Regions of foreign code: see [`foreign`].

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

pub use support::{ForeignSupport, foreign_support};
#[cfg(any(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
    target_arch = "riscv64"
))]
pub use ways::FOREIGN_CALLS;
pub(crate) use ways::{after_fork, end, is_tick, on_signal, raise};

use crate::runtime::attach;
use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::runtime::signal;
use crate::runtime::slot;
use crate::scope::{Stopped, check};
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{Ordering, compiler_fence, fence};

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
/// they are broken.
///
/// # What ends a region
///
/// All that ends a marked call here: a request, a deadline, a scope around it
/// ([`Stopper::run`](crate::Stopper::run), [`within`](crate::within())). In a
/// [`shield`](crate::shield()) inside of the region, or in an inner scope's absence, calls
/// run as ever. Until something is stopped the region costs a few stores, and its calls
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
    let _inside = Inside::enter(None)?;
    Ok(f())
}

/// Runs foreign code as [`foreign`] does; but from the stop on reads of sockets say
/// `ECONNRESET`, so that a library that would keep the connection gives it up.
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
    let _inside = Inside::enter(Some(true))?;
    Ok(f())
}

/// The region that a thread is in, until it is dropped.
struct Inside<'thread> {
    /// None where something stands in for the thread's record: late in its end.
    record: Option<&'thread Record>,
    is_outermost: bool,
    resets_before: bool,
}

impl Inside<'_> {
    #[inline]
    fn enter(resets: Option<bool>) -> Result<Self, Stopped> {
        let Some(record) = slot::record().or_else(begin) else {
            let inside = Inside { record: None, is_outermost: false, resets_before: false };
            return check().map(|()| inside);
        };
        let region = &record.region;
        let is_outermost = !region.is_open();
        let resets_before = region.resets.load(Relaxed);
        let inside = Inside { record: Some(record), is_outermost, resets_before };
        if let Some(resets) = resets {
            region.resets.store(resets, Relaxed);
        }
        if is_outermost {
            open(record);
        }
        if record.line.flag.load(Relaxed) == LOOK && record.must_stop() {
            return Err(Stopped::found());
        }
        Ok(inside)
    }
}

/// The thread's first use of the runtime; none where something stands in for its record.
#[cold]
fn begin<'thread>() -> Option<&'thread Record> {
    attach::registered();
    slot::record()
}

#[inline]
fn open(record: &Record) {
    if !support::is_prepared() {
        support::prepare();
    }
    if !record.has_window() {
        signal::set_mask(libc::SIG_UNBLOCK);
    }
    // Race 1 of the protocol, with this word for the marker.
    record.region.open.store(1, Ordering::Release);
    order();
}

#[inline]
fn close(record: &Record) {
    // Race 2, likewise.
    record.region.open.store(0, Ordering::Release);
    order();
    if record.line.flag.load(Relaxed) != 0 || !record.region.is_untouched() {
        close_closer(record);
    }
    if !record.has_window() {
        signal::set_mask(libc::SIG_BLOCK);
    }
}

#[cold]
#[inline(never)]
fn close_closer(record: &Record) {
    ways::disarm(record);
    if record.line.flag.load(Ordering::SeqCst) & LOOK != 0 {
        record.settle();
    }
}

#[inline]
fn order() {
    if signal::is_ordered_by_others() {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(record) = self.record else { return };
        record.region.resets.store(self.resets_before, Relaxed);
        if self.is_outermost {
            close(record);
        }
    }
}

/// While a marked call of a callback waits on the backend that keeps the signal blocked.
pub(crate) struct Paused<'thread>(Option<&'thread Record>);

impl Paused<'_> {
    pub(crate) fn begin(record: &Record) -> Paused<'_> {
        let record = Some(record).filter(|record| record.region.is_watched());
        if let Some(record) = record {
            record.region.paused.store(1, Relaxed);
            signal::set_mask(libc::SIG_BLOCK);
        }
        Paused(record)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        let Some(record) = self.0 else { return };
        record.region.paused.store(0, Relaxed);
        // What has come meanwhile is delivered here; what has come to the call was its own.
        signal::set_mask(libc::SIG_UNBLOCK);
        if record.line.flag.load(Ordering::SeqCst) & LOOK != 0 {
            ways::arm_here(record);
        }
    }
}
