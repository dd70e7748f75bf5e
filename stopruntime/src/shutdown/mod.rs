//! Ending a program by signals: warm, then cold, then at once.
//!
//! The **first** signal requests a stop of the program's root scope, with the signal's
//! name as the reason. Marked calls under it stop, and the program cleans up. The
//! **second**, or the [limit](Shutdown::within), goes cold: registered descriptors are
//! synced, registered actions run, and the process ends with 128 + the signal's number.
//! The **third** takes the signal's default action.
//!
//! ```
//! use std::net::UdpSocket;
//! use std::process::ExitCode;
//! use std::time::Duration;
//! use std::io;
//! use stopruntime::ext::RecvFromOrStop;
//! use stopruntime::shutdown::{Guard, Shutdown};
//!
//! fn serve(_guard: &Guard) -> io::Result<()> {
//!     let socket = UdpSocket::bind("127.0.0.1:0")?;
//! #   // A signal from outside.
//! #   let pid = std::process::id().to_string();
//! #   std::process::Command::new("kill").args(["-TERM", &pid]).status()?;
//!     loop {
//!         socket.recv_from_or_stop(&mut [0; 2048])??;
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     // SIGINT and SIGTERM; quietly, with code 0, if one of them has stopped it.
//!     Shutdown::new().within(Duration::from_secs(30)).run(serve)
//! }
//! ```
//!
//! The handler only counts, and wakes a thread of the runtime's own, which makes the
//! request, syncs and runs the actions: they are ordinary code. Two signals that arrive
//! at the same instant are two. A handler that was there before (`ctrlc`, `signal-hook`)
//! is called too; one that is installed later has to call ours, as `signal-hook` does and
//! `ctrlc` does not. In a forked child the signals do what they did before.

mod handler;

use crate::runtime::futex::{futex_wait, futex_wait_until};
use crate::runtime::scopes::clock::{self, NEVER};
use crate::runtime::{installed, signal};
use crate::{CarriesStop, Stopper};
use core::ffi::c_int;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

static IN_USE: AtomicBool = AtomicBool::new(false);

/// Builds what ends the program by signals; see the [module](self).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::shutdown::Shutdown;
///
/// let guard = Shutdown::new().within(Duration::from_secs(30)).install()?;
/// assert!(!guard.stopper().stop_requested());
/// drop(guard); // the signals do again what they did before
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "ctrl-c")]
#[doc(alias = "SIGINT")]
#[doc(alias = "SIGTERM")]
#[derive(Debug)]
#[must_use]
pub struct Shutdown {
    signals: Vec<c_int>,
    limit: Option<Duration>,
    code: u8,
}

impl Shutdown {
    /// Begins with `SIGINT` and `SIGTERM`, no limit, and exit code 0.
    ///
    /// # Examples
    ///
    /// As at [`Shutdown`].
    pub fn new() -> Shutdown {
        Shutdown { signals: vec![libc::SIGINT, libc::SIGTERM], limit: None, code: 0 }
    }

    /// Takes these signals instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::shutdown::Shutdown;
    ///
    /// let sigquit = 3;
    /// let guard = Shutdown::new().signals([sigquit]).install()?;
    /// # drop(guard);
    /// let error = Shutdown::new().signals([9]).install().unwrap_err(); // SIGKILL
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn signals(mut self, signals: impl IntoIterator<Item = c_int>) -> Shutdown {
        self.signals = signals.into_iter().collect();
        self
    }

    /// Goes cold if the program has not ended this long after the first signal.
    ///
    /// # Examples
    ///
    /// As at [`Shutdown`].
    pub fn within(mut self, limit: Duration) -> Shutdown {
        self.limit = Some(limit);
        self
    }

    /// Makes [`run`](Shutdown::run) return this exit code after a stop.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::process::ExitCode;
    /// use stopruntime::shutdown::Shutdown;
    ///
    /// let code = Shutdown::new().exit_code(143).run(|guard| {
    ///     guard.stopper().request_stop();
    ///     stopruntime::check()
    /// });
    /// assert_eq!(code, ExitCode::from(143));
    /// ```
    pub fn exit_code(mut self, code: u8) -> Shutdown {
        self.code = code;
        self
    }

    /// Installs the handlers and starts the thread that does what they say.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no signal, or one that cannot be used: the runtime's own,
    /// a real-time signal, one that cannot be caught or that a fault raises.
    /// `AlreadyExists` while there is another guard. An error of sigaction(2) or of
    /// starting the thread. No handler is left then.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be installed; see [`backend`](crate::backend()).
    ///
    /// # Examples
    ///
    /// As at [`Shutdown`].
    pub fn install(self) -> io::Result<Guard> {
        let _ = crate::backend();
        let usable = |&signal: &c_int| {
            crate::runtime::action::is_usable(signal) && signal != installed::signal()
        };
        if self.signals.is_empty() || !self.signals.iter().all(usable) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no signal, or one that cannot be used for a shutdown",
            ));
        }
        if IN_USE.swap(true, Ordering::AcqRel) {
            let text = "there is another guard of a shutdown";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        handler::begin();
        let shared = Arc::new(Shared {
            root: Stopper::new(),
            limit: self.limit,
            signal: AtomicI32::new(0),
            last: Mutex::default(),
        });
        // From here on, dropping it undoes what has been done.
        let mut guard = Guard { shared: shared.clone(), before: Vec::new(), helper: None };
        let builder = thread::Builder::new().name("stop-shutdown".into());
        guard.helper = Some(signal::with_all_blocked(|| builder.spawn(move || shared.run()))?);
        for signal in self.signals {
            if guard.before.iter().all(|(other, _)| *other != signal) {
                guard.before.push((signal, handler::install(signal)?));
            }
        }
        Ok(guard)
    }

    /// Runs `f` under the root scope and makes an exit code of what it returns.
    ///
    /// `Ok` is success. If `f` was stopped because the root scope is, the code is the
    /// [chosen one](Shutdown::exit_code), and nothing is printed. Any other error, of `f`
    /// or of [`install`](Shutdown::install), is printed to the standard error output, and
    /// the code is `FAILURE`.
    ///
    /// # Panics
    ///
    /// As [`install`](Shutdown::install). A panic of `f` passes on.
    ///
    /// # Examples
    ///
    /// As at the [module](self).
    #[must_use]
    pub fn run<E>(self, f: impl FnOnce(&Guard) -> Result<(), E>) -> ExitCode
    where
        E: CarriesStop + fmt::Display,
    {
        let code = self.code;
        let guard = match self.install() {
            Ok(guard) => guard,
            Err(error) => {
                eprintln!("Error: {error}");
                return ExitCode::FAILURE;
            }
        };
        match guard.shared.root.run(|| f(&guard)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.stopped().is_some() && guard.shared.root.stop_requested() => {
                ExitCode::from(code)
            }
            Err(error) => {
                eprintln!("Error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown::new()
    }
}

/// Keeps the shutdown's handlers installed; dropping it puts back what was there.
///
/// A handler that another library has installed over ours stays.
///
/// # Examples
///
/// As at [`Shutdown`].
#[must_use = "the handlers are taken away when it is dropped"]
pub struct Guard {
    shared: Arc<Shared>,
    before: Vec<(c_int, libc::sigaction)>,
    helper: Option<thread::JoinHandle<()>>,
}

impl Guard {
    /// Returns the root scope, which the first signal stops.
    ///
    /// # Examples
    ///
    /// As at [`Shutdown::exit_code`].
    #[must_use]
    pub fn stopper(&self) -> &Stopper {
        &self.shared.root
    }

    /// Returns the first signal that came, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<c_int> {
        Some(self.shared.signal.load(Ordering::Acquire)).filter(|signal| *signal != 0)
    }

    /// Syncs this file, should the shutdown go cold. fsync(2).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::fs::File;
    /// use stopruntime::shutdown::Shutdown;
    ///
    /// let guard = Shutdown::new().install()?;
    /// let log = File::open("/dev/null")?;
    /// guard.sync(log.try_clone()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sync(&self, file: impl Into<OwnedFd>) {
        let file = File::from(file.into());
        // A pipe or socket has nothing to sync.
        self.on_cold(move || drop(file.sync_all()));
    }

    /// Runs `f`, should the shutdown go cold, after what was registered before it.
    ///
    /// `f` runs on the runtime's thread while the program's own go on. It should be
    /// short and wait for none of them; the third signal ends the process even if it does.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::shutdown::Shutdown;
    ///
    /// let guard = Shutdown::new().install()?;
    /// guard.on_cold(|| eprintln!("something is unfinished"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_cold(&self, f: impl FnOnce() + Send + 'static) {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(f));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        for (signal, before) in &self.before {
            handler::restore(*signal, before);
        }
        handler::stop();
        if let Some(helper) = self.helper.take() {
            let _ = helper.join();
        }
        IN_USE.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("stopper", self.stopper())
            .field("signal", &self.signal())
            .finish_non_exhaustive()
    }
}

type Action = Box<dyn FnOnce() + Send>;

/// What the guard and the helper have in common.
struct Shared {
    root: Stopper,
    limit: Option<Duration>,
    /// The first one; 0 before.
    signal: AtomicI32,
    /// What is done when it goes cold.
    last: Mutex<Vec<Action>>,
}

impl Shared {
    /// The helper: does what the signals say, until the guard is dropped.
    fn run(&self) {
        let mut deadline = NEVER;
        loop {
            let state = handler::STATE.load(Ordering::Acquire);
            if state == handler::ENDED {
                return;
            }
            let (signal, count) = handler::parts(state);
            if count > 0 && self.signal() == 0 {
                self.signal.store(signal, Ordering::Release);
                self.root.request_stop_because(name(signal));
                deadline = self.limit.map_or(NEVER, clock::after);
            }
            if count > 1 {
                self.go_cold(signal);
            }
            if deadline != NEVER && clock::now() >= deadline {
                // From now on a signal is the third.
                let cold = handler::after(state, signal);
                let order = Ordering::AcqRel;
                let _ = handler::STATE.compare_exchange(state, cold, order, Ordering::Acquire);
            } else if deadline == NEVER {
                futex_wait(&handler::STATE, state, None);
            } else {
                futex_wait_until(&handler::STATE, state, deadline);
            }
        }
    }

    fn signal(&self) -> c_int {
        self.signal.load(Ordering::Acquire)
    }

    fn go_cold(&self, signal: c_int) -> ! {
        let actions =
            core::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner));
        for action in actions {
            // A panic is reported, and the next one runs.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(action));
        }
        handler::end(signal)
    }
}

/// The reason that the root scope is given.
fn name(signal: c_int) -> &'static str {
    match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGTERM => "SIGTERM",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        _ => "a signal",
    }
}
