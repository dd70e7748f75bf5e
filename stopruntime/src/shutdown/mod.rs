//! Ending a program by signals: warm, then cold, then at once.
//!
//! The **first** signal requests a stop of the program's root scope, with the signal's
//! name as the reason. Marked calls under it stop, and the program cleans up. The
//! **second**, or the [limit](Shutdown::within), goes cold: registered descriptors are
//! synced, registered actions run, and the process ends with 128 + the signal's number.
//! The **third** takes the signal's default action. Signals for
//! [reloads](Shutdown::reload_on) restart a part of the program, and one for
//! [reports](Shutdown::report_on) says what its threads do.
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

mod guard;
mod handler;
mod helper;
mod reports;

pub use guard::Guard;

use crate::CarriesStop;
use crate::report::Threads;
use crate::runtime::{action, installed};
use core::ffi::c_int;
use core::fmt;
use reports::Reporter;
use std::io;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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
#[must_use]
pub struct Shutdown {
    signals: Vec<c_int>,
    reloads: Vec<c_int>,
    asks: Vec<c_int>,
    /// A mutex makes it `Sync`, and it is never locked.
    reporter: Option<Mutex<Reporter>>,
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
        let signals = vec![libc::SIGINT, libc::SIGTERM];
        Shutdown {
            signals,
            reloads: Vec::new(),
            asks: Vec::new(),
            reporter: None,
            limit: None,
            code: 0,
        }
    }

    /// Takes these signals instead. With none, only those of [reloads](Shutdown::reload_on)
    /// and [reports](Shutdown::report_on) are handled.
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

    /// Takes these signals for reloads: what runs in
    /// [`Guard::run_reloading`] is stopped, and run again.
    ///
    /// They are not counted among the others, and once the program is to stop they do nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::Stopped;
    /// use stopruntime::ext::sleep_or_stop;
    /// use stopruntime::shutdown::Shutdown;
    ///
    /// let sighup = 1;
    /// let mut runs = 0;
    /// let _code = Shutdown::new().reload_on([sighup]).run(|guard| {
    ///     guard.run_reloading(|| {
    ///         runs += 1; // and here the configuration is read
    /// #       let pid = std::process::id().to_string();
    /// #       let signal = if runs == 1 { "-HUP" } else { "-TERM" };
    /// #       std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
    ///         sleep_or_stop(Duration::MAX) // stopped by SIGHUP, and then by SIGTERM
    ///     })
    /// });
    /// assert_eq!(runs, 2);
    /// ```
    #[doc(alias = "SIGHUP")]
    pub fn reload_on(mut self, signals: impl IntoIterator<Item = c_int>) -> Shutdown {
        self.reloads = signals.into_iter().collect();
        self
    }

    /// Takes these signals for requests of a report: for each, `f` is given what the
    /// [threads](crate::report::threads) do and what keeps them from stopping.
    ///
    /// `f` runs on a thread of its own, so that it may take its time: signals that come
    /// meanwhile cause one more report, and those of the other kinds do what they do. Until the
    /// program goes cold it is run in the stages of an end too, which is when a thread that does
    /// not stop is looked for. Dropping the [`Guard`] waits for the report that was asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use stopruntime::shutdown::Shutdown;
    ///
    /// let (said, hears) = mpsc::channel();
    /// let guard = Shutdown::new()
    ///     .report_on([libc::SIGUSR2], move |threads| {
    ///         eprintln!("{} threads:\n{threads}", threads.len());
    ///         said.send(()).unwrap();
    ///     })
    ///     .install()?;
    /// # let pid = std::process::id().to_string();
    /// # std::process::Command::new("kill").args(["-USR2", &pid]).status()?;
    /// hears.recv().unwrap(); // after `kill -USR2`
    /// # drop(guard);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "SIGUSR2")]
    pub fn report_on<F>(mut self, signals: impl IntoIterator<Item = c_int>, f: F) -> Shutdown
    where
        F: FnMut(Threads) + Send + 'static,
    {
        self.asks = signals.into_iter().collect();
        self.reporter = Some(Mutex::new(Box::new(f)));
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
    /// `InvalidInput` if there is no signal, or one that cannot be used, which the text names:
    /// the runtime's own, a real-time signal, one that cannot be caught, that a fault raises or
    /// that stops the process by default, one that is for two of shutdown, reload and report.
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
        if let Some(text) = self.refusal() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let Shutdown { signals, reloads, asks, reporter, limit, code: _ } = self;
        let reporter =
            reporter.map(|reporter| reporter.into_inner().unwrap_or_else(PoisonError::into_inner));
        Guard::begin(&signals, &reloads, (&asks, reporter), limit)
    }

    /// Why it cannot be installed.
    fn refusal(&self) -> Option<String> {
        let Shutdown { signals, reloads, asks, .. } = self;
        if signals.is_empty() && reloads.is_empty() && asks.is_empty() {
            return Some("a shutdown needs a signal".into());
        }
        signals.iter().chain(reloads).chain(asks).find_map(|signal| {
            let is_for_two =
                (reloads.contains(signal) || asks.contains(signal)) && signals.contains(signal);
            let why = if *signal == installed::signal() {
                "it is the runtime's own (Config::signal)"
            } else if !action::is_usable(*signal) {
                "choose one that can be caught, that no fault raises, that does not stop the \
                 process by default and that is not a real-time signal"
            } else if is_for_two {
                "it is taken for reloads or reports too"
            } else if reloads.contains(signal) && asks.contains(signal) {
                "it is taken both for reloads and for reports"
            } else {
                return None;
            };
            Some(format!("signal {signal} cannot be used for a shutdown: {why}"))
        })
    }

    /// Runs `f` under the root scope and makes an exit code of what it returns.
    ///
    /// `Ok` is success. If `f` was stopped because the root scope is, the code is the
    /// [chosen one](Shutdown::exit_code), and nothing is printed. Any other error, of `f`
    /// or of [`install`](Shutdown::install), is printed to the standard error output, and
    /// the code is `FAILURE`.
    ///
    /// Once a signal has come, the handlers stay after `f` has returned, because the program
    /// is about to end: the next signal still goes cold.
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
        let root = guard.stopper();
        let result = root.run(|| f(&guard));
        let is_stopped = root.stop_requested();
        // mutant: signals-count-to-the-end
        if guard.signal().is_some() {
            // Without the handlers, the second signal would kill what is about to end well.
            core::mem::forget(guard);
        }
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.stopped().is_some() && is_stopped => ExitCode::from(code),
            Err(error) => {
                eprintln!("Error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shutdown")
            .field("signals", &self.signals)
            .field("reloads", &self.reloads)
            .field("reports", &self.asks)
            .field("limit", &self.limit)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown::new()
    }
}
