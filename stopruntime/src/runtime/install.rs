//! Installing: the choice of the signal and the backend, once in a process.
//!
//! # Safety
//!
//! The invariant of this module: everything is installed once, before the
//! first record exists.

#![allow(unsafe_code)]

use crate::report;
use crate::runtime::action::{self, Refusal};
use crate::runtime::backend::{Backend, Rseq};
use crate::runtime::detach;
use crate::runtime::install_error::InstallError;
use crate::runtime::installed;
use crate::runtime::probe::rseq_aborts;
use crate::runtime::process::{self, PerProcess, Place};
use crate::runtime::signal;
use crate::runtime::slot;
use crate::window;
use core::ffi::c_int;
use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Chooses the stop signal and the backend, before the first marked call.
///
/// Without it the first use installs the default: `SIGURG`, and the first of
/// [`Backend::Rseq`], [`Backend::Handler`], [`Backend::Ppoll`] that works. The
/// environment variable `STOPRUNTIME_BACKEND` (`rseq`, `handler`, `ppoll`)
/// overrides the backend, for tests and diagnosis; a program that runs with
/// another user's rights does not look at it (`secure_getenv(3)`). If it names no
/// backend, or one that is not to be had, the first use installs the default all
/// the same, and [`support`](crate::support()) says why.
///
/// If another copy of the runtime has that signal in the same process, in another
/// version or a library, the default is a backend that goes together with that
/// copy's. Copies know each other by the installed handler: one that a foreign
/// handler has been put on top of is not seen.
///
/// # Examples
///
/// ```
/// use stopruntime::{Backend, Config};
///
/// Config::new().signal(libc::SIGUSR1).backend(Backend::Ppoll).install()?;
/// # Ok::<(), stopruntime::InstallError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a Config does nothing until it is installed"]
pub struct Config {
    signal: c_int,
    backend: Option<Backend>,
    is_audited: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// Creates a configuration with the defaults: `SIGURG`, the best backend that
    /// works.
    pub const fn new() -> Config {
        Config { signal: libc::SIGURG, backend: None, is_audited: false }
    }

    /// Sets the signal that ends a blocked call: any that can be caught, except
    /// those of faults, those that stop a process and real-time signals.
    ///
    /// A signal of that number that is not a request does what it did before. An
    /// earlier handler is called, with its own signals blocked. A default action that
    /// ends the process ends it, until the first request in the process: from then on
    /// such a signal may be a request that comes late. Children that were not to be
    /// reaped (`SIGCHLD`) still are not. The runtime's handler takes over an earlier
    /// handler's stack and restarts:
    ///
    /// - Without `SA_ONSTACK`, requests are handled on the stack of the
    ///   interrupted thread as well, which needs room for a signal frame.
    /// - Without `SA_RESTART`, a foreign signal ends a marked call with `EINTR`,
    ///   as it ends the plain call; and a request that comes while another
    ///   signal's handler runs on top of a marked call ends what blocks in that
    ///   handler with `EINTR`. If that must not be, choose a signal without such
    ///   a handler.
    ///
    /// A program started by `execve(2)` finds a signal that had been ignored
    /// with its default action, as after any handler.
    #[doc(alias = "SIGURG")]
    pub const fn signal(mut self, signal: c_int) -> Config {
        self.signal = signal;
        self
    }

    /// Chooses this backend and no other, unless `STOPRUNTIME_BACKEND` names one.
    pub const fn backend(mut self, backend: Backend) -> Config {
        self.backend = Some(backend);
        self
    }

    /// Begins an [`audit`](crate::report::audit) with the installation: it reports where
    /// threads wait in calls that are not marked. `STOPRUNTIME_AUDIT=1` in the environment
    /// asks for it as well; a program that runs with another user's rights does not look
    /// at that.
    pub const fn audit(mut self, is_audited: bool) -> Config {
        self.is_audited = is_audited;
        self
    }

    /// Installs the signal handler for the whole process.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; nothing has been changed then, and another
    /// configuration may be tried.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::{Backend, Config, InstallError};
    ///
    /// fn main() -> Result<(), InstallError> {
    ///     match Config::new().backend(Backend::Rseq).install() {
    ///         Err(InstallError::Unavailable(_)) => Config::new().install(),
    ///         installed => installed,
    ///     }
    /// }
    /// ```
    pub fn install(self) -> Result<(), InstallError> {
        install(self.is_audited, || self.try_install(named()?)).map(drop)
    }

    fn try_install(&self, named: Option<Backend>) -> Result<Backend, InstallError> {
        if !action::is_usable(self.signal) {
            return Err(InstallError::UnusableSignal(self.signal));
        }
        let asked = named.or(self.backend);
        let masked = asked.map(|backend| backend == Backend::Ppoll);
        let masked = masked.or((!window::AVAILABLE).then_some(true));
        let masked = action::install(self.signal, masked).map_err(|refusal| match refusal {
            Refusal::Io(error) => InstallError::Io(error),
            // It is asked for, or this copy has no other.
            Refusal::OtherCopy => InstallError::OtherCopy {
                signal: self.signal,
                backend: asked.unwrap_or(Backend::Ppoll),
            },
        })?;
        let works = |backend: &Backend| (*backend == Backend::Ppoll) == masked && works(*backend);
        let found = match asked {
            None => Backend::ALL.into_iter().find(works),
            // mutant: broken-backend-refused
            Some(backend) => Some(backend).filter(works),
        };
        found.ok_or_else(|| {
            // mutant: failed-installation-undone
            action::uninstall();
            InstallError::Unavailable(asked.unwrap_or(Backend::Handler))
        })
    }
}

/// What `STOPRUNTIME_BACKEND` names.
fn named() -> Result<Option<Backend>, InstallError> {
    match variable("STOPRUNTIME_BACKEND") {
        None => Ok(None),
        Some(name) => match Backend::ALL.into_iter().find(|one| *one.name() == name) {
            // mutant: unknown-backend-refused
            None => Err(InstallError::UnknownBackend(name.to_string_lossy().into_owned())),
            found => Ok(found),
        },
    }
}

/// A variable of the environment that is not empty. A program that runs with another
/// user's rights does not look (`AT_SECURE`, getauxval(3)).
fn variable(name: &str) -> Option<OsString> {
    // SAFETY: a number.
    // mutant: setuid-ignores-environment
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    std::env::var_os(name).filter(|value| !secure && !value.is_empty())
}

// SAFETY: its only user.
static INSTALLING: PerProcess<Mutex<()>> = unsafe { PerProcess::new(Place::Installing) };
/// The turn of the one that installs.
pub(crate) fn hold() -> MutexGuard<'static, ()> {
    INSTALLING.get_or_make().lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs what `attempt` does, if nothing is installed yet.
fn install(
    is_audited: bool,
    attempt: impl FnOnce() -> Result<Backend, InstallError>,
) -> Result<Backend, InstallError> {
    // An allocator that makes marked calls does not install meanwhile.
    slot::plainly(|| {
        // mutant: configuration-lock
        let _one_at_a_time = hold();
        // mutant: second-configuration-refused
        if let Some(backend) = installed::backend() {
            return Err(InstallError::AlreadyInstalled { signal: installed::signal(), backend });
        }
        detach::prepare().map_err(InstallError::Io)?;
        let backend = attempt()?;
        if is_audited || variable("STOPRUNTIME_AUDIT").is_some_and(|value| value != "0") {
            report::start_audit().map_err(|error| {
                action::uninstall();
                InstallError::Io(error)
            })?;
        }
        // No record has an id of another process yet.
        process::settle();
        signal::set_order(backend);
        installed::set_backend(backend);
        Ok(backend)
    })
}

/// The default, also if `STOPRUNTIME_BACKEND` names what is not to be had: that
/// is no reason for a program to end, and there is no caller to tell it to.
#[cold]
fn install_default() -> Result<Backend, InstallError> {
    let config = Config::new();
    install(false, || match named().and_then(|named| config.try_install(named)) {
        Err(InstallError::Io(error)) => Err(InstallError::Io(error)),
        Err(error) => {
            installed::ignore(error.to_string());
            // mutant: unavailable-backend-in-environment
            config.try_install(None)
        }
        installed => installed,
    })
}

/// Returns the backend in force. Installs the default if nothing is installed yet.
///
/// # Panics
///
/// If sigaction(2) or `pthread_key_create(3)` is refused.
///
/// # Examples
///
/// ```
/// // Installs the runtime, before libraries with constructors of their own are loaded.
/// println!("{}", stopruntime::backend());
/// ```
#[must_use]
#[track_caller]
pub fn backend() -> Backend {
    ensure()
}

/// As [`backend`], for the runtime's own use.
#[track_caller]
pub(crate) fn ensure() -> Backend {
    if let Some(backend) = installed::backend() {
        return backend;
    }
    match install_default() {
        Ok(backend) | Err(InstallError::AlreadyInstalled { backend, .. }) => backend,
        Err(error) => panic!("stopruntime cannot be installed: {error}"),
    }
}

fn works(backend: Backend) -> bool {
    match backend {
        Backend::Rseq => {
            // mutant: backend-proved-before-used
            let found = if window::AVAILABLE { rseq_aborts() } else { Rseq::NoWindow };
            installed::found(found);
            matches!(found, Rseq::Libc | Rseq::Own)
        }
        Backend::Handler => window::AVAILABLE,
        Backend::Ppoll => true,
    }
}
