//! Why an installation is refused.

use super::backend::Backend;
use core::ffi::c_int;
use std::fmt;
use std::io::{self, ErrorKind};

/// Says why [`Config::install`](crate::Config::install) refused.
///
/// # Examples
///
/// ```
/// use stopruntime::{Config, InstallError};
///
/// let refused = Config::new().signal(libc::SIGKILL).install().unwrap_err();
/// assert!(matches!(refused, InstallError::UnusableSignal(libc::SIGKILL)));
/// println!("{refused}"); // and what to use instead
/// ```
///
/// By `?` it becomes an [`io::Error`]:
///
/// ```
/// use std::io;
/// use stopruntime::Config;
///
/// fn main() -> io::Result<()> {
///     Config::new().signal(libc::SIGUSR1).install()?;
///     let again = io::Error::from(Config::new().install().unwrap_err());
///     assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallError {
    /// The runtime is installed already, by an earlier call or by the first
    /// marked call.
    #[non_exhaustive]
    AlreadyInstalled {
        /// The stop signal in force.
        signal: c_int,
        /// The backend in force.
        backend: Backend,
    },
    /// The signal cannot be caught, is raised by faults, stops the process by
    /// default, or is a real-time signal, which cannot always be sent.
    UnusableSignal(c_int),
    /// The machine does not have this backend.
    Unavailable(Backend),
    /// `STOPRUNTIME_BACKEND` is not the name of a backend.
    UnknownBackend(String),
    /// Another copy of the runtime in this process has the signal, with a
    /// backend that does not go together with this one: threads keep the signal
    /// blocked with [`Backend::Ppoll`], and unblocked with the others.
    #[non_exhaustive]
    OtherCopy {
        /// The signal that both are to use.
        signal: c_int,
        /// The backend that was asked for here.
        backend: Backend,
    },
    /// `sigaction(2)` or `pthread_key_create(3)` failed, or the audit's thread could not be
    /// started.
    Io(io::Error),
}

impl fmt::Display for InstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstallError::AlreadyInstalled { signal, backend } => write!(
                formatter,
                "stopruntime is installed already (signal {signal}, backend {backend}): \
                 configure it before the first marked call"
            ),
            InstallError::UnusableSignal(signal) => write!(
                formatter,
                "signal {signal} cannot be the stop signal: choose one that can be caught, \
                 that no fault raises, that does not stop the process by default and that is \
                 not a real-time signal, such as SIGURG or SIGUSR1"
            ),
            InstallError::Unavailable(backend) => {
                write!(formatter, "backend {backend} does not work on this machine")
            }
            InstallError::UnknownBackend(name) => write!(
                formatter,
                "STOPRUNTIME_BACKEND is {name:?}: it may be rseq, handler or ppoll"
            ),
            InstallError::OtherCopy { signal, backend } => write!(
                formatter,
                "another copy of stopruntime in this process uses signal {signal} with a backend \
                 that cannot share it with {backend}: let both use {}, or give one of them \
                 another signal by Config::signal",
                if *backend == Backend::Ppoll { "rseq or handler" } else { "ppoll" }
            ),
            InstallError::Io(error) => {
                write!(
                    formatter,
                    "signal handler, key of thread-specific data or thread of the audit: {error}"
                )
            }
        }
    }
}

impl std::error::Error for InstallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InstallError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<InstallError> for io::Error {
    fn from(error: InstallError) -> io::Error {
        let kind = match &error {
            InstallError::AlreadyInstalled { .. } => ErrorKind::AlreadyExists,
            InstallError::UnusableSignal(_) | InstallError::UnknownBackend(_) => {
                ErrorKind::InvalidInput
            }
            InstallError::Unavailable(_) => ErrorKind::Unsupported,
            InstallError::OtherCopy { .. } => ErrorKind::ResourceBusy,
            InstallError::Io(error) => error.kind(),
        };
        io::Error::new(kind, error)
    }
}
