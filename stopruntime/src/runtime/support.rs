//! Which features of the kernel and of libc are in use, and what replaces a missing one.
//!
//! # Safety
//!
//! The invariant of this module: the system calls by which it asks fail by
//! their arguments, and so do nothing.

#![allow(unsafe_code)]

use crate::foreign::{self, ForeignSupport};
use crate::kernel::refusal::is_refusal;
use crate::runtime::backend::{Backend, Rseq};
use crate::runtime::install;
use crate::runtime::installed;
use crate::runtime::signal;
use crate::window;
use core::ffi::{c_int, c_long};
use core::fmt;
use std::io;

/// Lists what is in force, and why. As text, it has a line for each thing.
///
/// # Examples
///
/// ```
/// let support = stopruntime::support();
/// assert_eq!(support.backend, stopruntime::backend());
/// println!("{support}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// `futex_waitv(2)`, Linux 5.16. Without it a stop of what waits in `sync` and in
    /// `join` takes a signal; and on [`Backend::Ppoll`] these waits, and those for one
    /// word in [`sys`](crate::sys), make two calls more, with the stop signal unblocked.
    pub futex_waitv: bool,
    /// `pidfd_open(2)`, Linux 5.3. Without it, on [`Backend::Ppoll`] only, the
    /// wait for a child that has not ended yet fails with `ENOTSUP`.
    pub pidfd: bool,
    /// `epoll_pwait2(2)`, Linux 5.11. Without it
    /// [`epoll_pwait2_or_stop`](crate::sys::epoll_pwait2_or_stop) fails with
    /// `ENOSYS`, as the plain call does.
    pub epoll_pwait2: bool,
    /// How a region of [foreign code](crate::foreign()) is ended.
    pub foreign: ForeignSupport,
    /// Why the first marked call did not take the backend that
    /// `STOPRUNTIME_BACKEND` names: it is not one, does not work here, or
    /// another copy of the runtime stands against it.
    /// [`Config::install`](crate::Config::install) reports that as an error.
    pub ignored: Option<String>,
}

/// Returns what is in force in this process, and why. Installs the default if nothing
/// is installed yet.
///
/// # Panics
///
/// As [`backend`](crate::backend()).
///
/// # Examples
///
/// ```
/// let support = stopruntime::support();
/// if let Some(why) = &support.ignored {
///     eprintln!("STOPRUNTIME_BACKEND is ignored: {why}");
/// }
/// if !support.membarrier {
///     eprintln!("every request sends a signal here");
/// }
/// ```
#[must_use]
#[track_caller]
pub fn support() -> Support {
    Support {
        backend: install::ensure(),
        signal: installed::signal(),
        windows: window::AVAILABLE,
        rseq: installed::rseq(),
        ignored: installed::ignored(),
        membarrier: signal::has_membarrier(),
        // Each with an argument that is refused where the call exists.
        futex_waitv: exists(libc::SYS_futex_waitv, [0; 5]),
        pidfd: exists(libc::SYS_pidfd_open, [0; 5]),
        epoll_pwait2: exists(libc::SYS_epoll_pwait2, [usize::MAX, 0, 0, 0, 0]),
        foreign: foreign::expected(),
    }
}

/// Whether the kernel, or the sandbox, lets this system call be made.
fn exists(number: c_long, args: [usize; 5]) -> bool {
    // SAFETY: refused because of its arguments.
    let result = unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4]) };
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    result >= 0 || !is_refusal(-(errno as isize))
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
            ("futex_waitv", self.futex_waitv, true, "stops of futex waits take a signal"),
            ("pidfd", self.pidfd, ppoll, "a child cannot be waited for"),
            ("epoll_pwait2", self.epoll_pwait2, true, "fails as the plain call"),
        ];
        for (name, there, used, without) in rows {
            match (there, used) {
                (true, _) => writeln!(formatter, "{name}: yes")?,
                (false, true) => writeln!(formatter, "{name}: no: {without}")?,
                (false, false) => writeln!(formatter, "{name}: no, and not used")?,
            }
        }
        write!(formatter, "foreign code: {}", self.foreign)
    }
}
