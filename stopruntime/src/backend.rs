//! Which backend is in force, and the proof at installation that it works.
//!
//! # Safety
//!
//! The invariant of this module: everything is installed once, before the
//! first record exists.

#![allow(unsafe_code)]

use crate::support::{self, Rseq};
use crate::{signal, window};
use core::ffi::c_int;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};
use std::io;
use std::sync::{Mutex, PoisonError};

/// How a marked call is made race-free against a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// The kernel aborts the window: restartable sequences, rseq(2), Linux
    /// 4.18. The signal handler's check of the program counter is active too.
    Rseq,
    /// The signal handler alone aborts the window. Every kernel, every libc.
    Handler,
    /// The signal is blocked but while the thread waits in `ppoll`. No
    /// assembly; twice the system calls.
    Ppoll,
}

impl Backend {
    const ALL: [Backend; 3] = [Backend::Rseq, Backend::Handler, Backend::Ppoll];

    /// The name as `STOPRUNTIME_BACKEND` spells it.
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

/// Why [`Config::install`] refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallError {
    /// The runtime is installed already, by an earlier call or by the first
    /// marked call, with this signal and backend.
    AlreadyInstalled(c_int, Backend),
    /// The signal cannot be caught, is raised by faults, or is a real-time
    /// signal, which cannot always be sent.
    UnusableSignal(c_int),
    /// The machine does not have this backend.
    Unavailable(Backend),
    /// `STOPRUNTIME_BACKEND` is not the name of a backend.
    UnknownBackend(String),
    /// sigaction(2) failed.
    Io(io::Error),
}

impl fmt::Display for InstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstallError::AlreadyInstalled(signal, backend) => write!(
                formatter,
                "stopruntime is installed already (signal {signal}, backend {backend}): \
                 configure it before the first marked call"
            ),
            InstallError::UnusableSignal(signal) => write!(
                formatter,
                "signal {signal} cannot be the stop signal: choose one that can be caught, \
                 that no fault raises and that is not a real-time signal, such as SIGURG or SIGUSR1"
            ),
            InstallError::Unavailable(backend) => {
                write!(formatter, "backend {backend} does not work on this machine")
            }
            InstallError::UnknownBackend(name) => write!(
                formatter,
                "STOPRUNTIME_BACKEND is {name:?}: it may be rseq, handler or ppoll"
            ),
            InstallError::Io(error) => write!(formatter, "sigaction: {error}"),
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

/// Chooses the stop signal and the backend, before the first marked call.
///
/// Without it the first use installs the default: `SIGURG`, and the first of
/// [`Backend::Rseq`], [`Backend::Handler`], [`Backend::Ppoll`] that works. The
/// environment variable `STOPRUNTIME_BACKEND` (`rseq`, `handler`, `ppoll`)
/// overrides the backend, for tests and diagnosis.
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
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// The defaults: `SIGURG`, the best backend that works.
    pub const fn new() -> Config {
        Config { signal: libc::SIGURG, backend: None }
    }

    /// The signal that ends a blocked call. Any that can be caught; a handler
    /// that it has already is called for signals that are not ours.
    pub const fn signal(mut self, signal: c_int) -> Config {
        self.signal = signal;
        self
    }

    /// This backend and no other, unless `STOPRUNTIME_BACKEND` names one.
    pub const fn backend(mut self, backend: Backend) -> Config {
        self.backend = Some(backend);
        self
    }

    /// Installs the signal handler for the whole process.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; nothing has been changed then, and another
    /// configuration may be tried.
    pub fn install(self) -> Result<(), InstallError> {
        let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(backend) = in_force() {
            return Err(InstallError::AlreadyInstalled(signal::number(), backend));
        }
        let backend = self.try_install()?;
        IN_FORCE.store(backend as u8 + 1, Ordering::Release);
        Ok(())
    }

    fn try_install(&self) -> Result<Backend, InstallError> {
        let forced = match std::env::var("STOPRUNTIME_BACKEND") {
            Err(_) => self.backend,
            Ok(name) if name.is_empty() => self.backend,
            Ok(name) => match Backend::ALL.into_iter().find(|one| one.name() == name) {
                None => return Err(InstallError::UnknownBackend(name)),
                found => found,
            },
        };
        if !signal::is_usable(self.signal) {
            return Err(InstallError::UnusableSignal(self.signal));
        }
        signal::install(self.signal).map_err(InstallError::Io)?;
        match forced {
            None => Ok(Backend::ALL.into_iter().find(|one| works(*one)).unwrap_or(Backend::Ppoll)),
            Some(backend) if works(backend) => Ok(backend),
            Some(backend) => {
                signal::uninstall();
                Err(InstallError::Unavailable(backend))
            }
        }
    }
}

static INSTALLING: Mutex<()> = Mutex::new(());
/// 0: not installed yet.
static IN_FORCE: AtomicU8 = AtomicU8::new(0);

/// The backend in force. Installs the default if nothing is installed yet.
///
/// # Panics
///
/// If `STOPRUNTIME_BACKEND` names no backend or one that does not work here.
#[must_use]
pub fn backend() -> Backend {
    ensure()
}

/// As [`backend`], for the runtime's own use.
#[track_caller]
pub(crate) fn ensure() -> Backend {
    if let Some(backend) = in_force() {
        return backend;
    }
    match Config::new().install() {
        Ok(()) | Err(InstallError::AlreadyInstalled(..)) => {}
        Err(error) => panic!("stopruntime cannot be installed: {error}"),
    }
    in_force().expect("installed above")
}

/// The backend, if one is installed. Async-signal-safe.
pub(crate) fn in_force() -> Option<Backend> {
    match IN_FORCE.load(Ordering::Acquire) {
        0 => None,
        index => Some(Backend::ALL[usize::from(index) - 1]),
    }
}

fn works(backend: Backend) -> bool {
    match backend {
        Backend::Rseq => {
            let found = if window::AVAILABLE { rseq_aborts() } else { Rseq::NoWindow };
            support::found(found);
            matches!(found, Rseq::Libc | Rseq::Own)
        }
        Backend::Handler => window::AVAILABLE,
        Backend::Ppoll => true,
    }
}

/// One real abort: a timer interrupts a spinning critical section. A version
/// number would not do: some kernels accept the registration and never abort.
fn rseq_aborts() -> Rseq {
    // Far more than the timer needs, on a machine that is not stalled: about
    // 20 ms. Preemption aborts as well, and proves as much.
    const TURNS: usize = 1 << 26;
    if !window::rseq::code_is_readable() {
        return Rseq::CodeUnreadable;
    }
    let (field, owned) = match window::rseq::rseq_cs() {
        Ok(found) => found,
        Err(errno) => return Rseq::Refused(errno),
    };
    let mask = signal::set_mask(libc::SIG_UNBLOCK);
    let aborted = Timer::start().is_some_and(|_timer| {
        // SAFETY: this thread's registered field.
        unsafe { window::abort_probe(field, TURNS) }
    });
    signal::restore_mask(&mask);
    if owned {
        window::rseq::unregister();
    }
    match (aborted, owned) {
        (false, _) => Rseq::NeverAborts,
        (true, false) => Rseq::Libc,
        (true, true) => Rseq::Own,
    }
}

/// A timer that sends the stop signal to the calling thread, which our handler
/// knows by its value and drops. `timer_create(2)`.
struct Timer(libc::timer_t);

impl Timer {
    fn start() -> Option<Timer> {
        // SAFETY: plain structures, filled in as `timer_create(2)` says; the
        // timer is deleted by Drop.
        unsafe {
            let mut event: libc::sigevent = core::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = signal::number();
            event.sigev_notify_thread_id = signal::thread_id();
            event.sigev_value = signal::probe_value();
            let mut id: libc::timer_t = core::mem::zeroed();
            if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id) != 0 {
                return None;
            }
            let timer = Timer(id);
            let soon = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
            // Again and again, because the first expiry may come before the
            // critical section begins; not so fast that a traced program
            // would do nothing else.
            let again = libc::timespec { tv_sec: 0, tv_nsec: 2_000_000 };
            let spec = libc::itimerspec { it_interval: again, it_value: soon };
            let set = libc::timer_settime(timer.0, 0, &raw const spec, core::ptr::null_mut());
            (set == 0).then_some(timer)
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer made by `start`.
        unsafe { libc::timer_delete(self.0) };
    }
}
