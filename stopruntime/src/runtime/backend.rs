//! The three ways to make a marked call race-free, and what became of the first.

use core::ffi::c_int;
use core::fmt;
use std::io;

/// Names a way to make a marked call race-free against a request.
///
/// # Examples
///
/// ```
/// use stopruntime::Backend;
///
/// if stopruntime::backend() == Backend::Ppoll {
///     eprintln!("a marked call makes a few system calls more here");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Lets the kernel abort the window by restartable sequences, rseq(2), Linux 4.18.
    /// The signal handler's check of the program counter is active too.
    Rseq,
    /// Lets the signal handler alone abort the window; works with every kernel and libc.
    Handler,
    /// Keeps the stop signal blocked except while a call waits. Needs no assembly,
    /// but makes mostly three times as many system calls, and refuses a few
    /// ([which, and why](crate::sys#backends)).
    Ppoll,
}

impl Backend {
    pub(crate) const ALL: [Backend; 3] = [Backend::Rseq, Backend::Handler, Backend::Ppoll];

    /// Returns the name as `STOPRUNTIME_BACKEND` spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Rseq => "rseq",
            Backend::Handler => "handler",
            Backend::Ppoll => "ppoll",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Says what became of restartable sequences, rseq(2), in this process.
///
/// # Examples
///
/// ```
/// println!("restartable sequences: {}", stopruntime::support().rseq);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
