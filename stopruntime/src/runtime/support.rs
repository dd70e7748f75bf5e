//! What of the kernel and of libc is in use here, and what is done without it.
//!
//! # Safety
//!
//! The invariant of this module: the system calls by which it asks fail by
//! their arguments, and so do nothing.

#![allow(unsafe_code)]

use crate::runtime::backend::{self, Backend, InstallError};
use crate::runtime::signal;
use crate::window;
use core::ffi::{c_int, c_long};
use core::fmt;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::io;

/// Restartable sequences, rseq(2), in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rseq {
    /// Proved to abort; libc registers each thread (glibc 2.35 and later).
    Libc,
    /// Proved to abort; the runtime registers the threads that make marked
    /// calls, and takes that back when they end (musl, older glibc).
    Own,
    /// Not asked for: another backend was chosen by name.
    NotTried,
    /// This architecture has no windows.
    NoWindow,
    /// The kernel refuses, with this errno: `ENOSYS` before Linux 4.18, `EPERM`
    /// or `ENOSYS` in a sandbox, `EINVAL` if another library has registered
    /// the thread.
    Refused(c_int),
    /// The kernel accepts the registration, and was not seen to abort when a
    /// timer interrupted the thread (or there is no timer).
    NeverAborts,
    /// The code may be executed and not read, but the kernel has to read a signature
    /// in it. Seen of the image that the runtime is linked into, at installation.
    CodeUnreadable,
}

/// What is in force, and why; as text, a line for each thing.
///
/// ```
/// let support = stopruntime::support();
/// assert_eq!(support.backend, stopruntime::backend());
/// println!("{support}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is there or not, on its own")]
pub struct Support {
    /// The backend in force.
    pub backend: Backend,
    /// The stop signal.
    pub signal: c_int,
    /// Whether this architecture has windows. Without them: [`Backend::Ppoll`].
    pub windows: bool,
    /// Without it: [`Backend::Handler`].
    pub rseq: Rseq,
    /// membarrier(2), Linux 4.14. Without it every request sends the signal,
    /// also to a thread that is in no marked call.
    pub membarrier: bool,
    /// `futex_waitv(2)`, Linux 5.16. Without it, on [`Backend::Ppoll`] only,
    /// what waits in `sync`, in `join` and for one word in [`sys`](crate::sys)
    /// does so in futex(2) with the stop signal open, and makes two calls more.
    pub futex_waitv: bool,
    /// `pidfd_open(2)`, Linux 5.3. Without it, on [`Backend::Ppoll`] only, the
    /// wait for a child that has not ended yet fails with `ENOTSUP`.
    pub pidfd: bool,
    /// `epoll_pwait2(2)`, Linux 5.11. Without it
    /// [`epoll_pwait2_or_stop`](crate::sys::epoll_pwait2_or_stop) fails with
    /// `ENOSYS`, as the plain call does.
    pub epoll_pwait2: bool,
    /// Why the first marked call did not take the backend that
    /// `STOPRUNTIME_BACKEND` names: it is not one, does not work here, or
    /// another copy of the runtime stands against it.
    /// [`Config::install`](crate::Config::install) reports that as an error.
    pub ignored: Option<String>,
}

/// What is in force in this process, and why. Installs the default if nothing is
/// installed yet.
///
/// # Panics
///
/// As [`backend`](crate::backend()).
#[must_use]
#[track_caller]
pub fn support() -> Support {
    Support {
        backend: backend::ensure(),
        signal: signal::number(),
        windows: window::AVAILABLE,
        // SAFETY: null, or told by the installation and never freed.
        rseq: unsafe { RSEQ.load(Ordering::Acquire).as_ref() }.copied().unwrap_or(Rseq::NotTried),
        // SAFETY: as above.
        ignored: unsafe { IGNORED.load(Ordering::Acquire).as_ref() }.cloned(),
        membarrier: signal::has_membarrier(),
        // Each with an argument that is refused where the call exists.
        futex_waitv: exists(libc::SYS_futex_waitv, [0; 5]),
        pidfd: exists(libc::SYS_pidfd_open, [0; 5]),
        epoll_pwait2: exists(libc::SYS_epoll_pwait2, [usize::MAX, 0, 0, 0, 0]),
    }
}

/// No lock, which another thread might hold when the process forks.
static RSEQ: AtomicPtr<Rseq> = AtomicPtr::new(null_mut());
static IGNORED: AtomicPtr<String> = AtomicPtr::new(null_mut());

/// Told by the installation.
pub(crate) fn found(rseq: Rseq) {
    RSEQ.store(Box::into_raw(Box::new(rseq)), Ordering::Release);
}

/// Told by the first marked call, which has no caller to hand an error to.
pub(crate) fn ignored(why: &InstallError) {
    IGNORED.store(Box::into_raw(Box::new(why.to_string())), Ordering::Release);
}

/// Whether the kernel, or the sandbox, lets this system call be made.
fn exists(number: c_long, args: [usize; 5]) -> bool {
    // SAFETY: refused because of its arguments.
    let result = unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4]) };
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    result >= 0 || !is_refusal(-(errno as isize))
}

/// Whether this raw result says that the call is not to be had, of a call that
/// fails with none of these for another reason.
pub(crate) fn is_refusal(raw: isize) -> bool {
    [libc::ENOSYS, libc::EPERM, libc::EACCES].iter().any(|errno| raw == -(*errno as isize))
}

impl fmt::Display for Rseq {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rseq::Libc => formatter.write_str("yes, registered by libc"),
            Rseq::Own => formatter.write_str("yes, registered by stopruntime"),
            Rseq::NotTried => formatter.write_str("not tried: another backend was asked for"),
            Rseq::NoWindow => formatter.write_str("no: no window for this architecture"),
            Rseq::Refused(errno) => {
                write!(formatter, "no: {}", io::Error::from_raw_os_error(*errno))
            }
            Rseq::NeverAborts => formatter.write_str("no: the kernel was not seen to abort"),
            Rseq::CodeUnreadable => formatter.write_str("no: the program's code is not readable"),
        }
    }
}

impl fmt::Display for Support {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "backend: {}", self.backend)?;
        writeln!(formatter, "signal: {}", self.signal)?;
        writeln!(formatter, "rseq: {}", self.rseq)?;
        if let Some(why) = &self.ignored {
            writeln!(formatter, "ignored: {why}")?;
        }
        let ppoll = self.backend == Backend::Ppoll;
        let rows = [
            ("membarrier", self.membarrier, !ppoll, "every request sends the signal"),
            ("futex_waitv", self.futex_waitv, ppoll, "futex waits open the signal"),
            ("pidfd", self.pidfd, ppoll, "a child cannot be waited for"),
            ("epoll_pwait2", self.epoll_pwait2, true, "fails as the plain call"),
        ];
        for (index, (name, there, used, without)) in rows.into_iter().enumerate() {
            let end = if index + 1 < rows.len() { "\n" } else { "" };
            match (there, used) {
                (true, _) => write!(formatter, "{name}: yes{end}")?,
                (false, true) => write!(formatter, "{name}: no: {without}{end}")?,
                (false, false) => write!(formatter, "{name}: no, and not used{end}")?,
            }
        }
        Ok(())
    }
}
