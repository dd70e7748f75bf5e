//! What keeps the handlers installed.

use super::handler;
use super::helper::Shared;
use super::reports::{self, Reporter};
use crate::runtime::signal;
use crate::{CarriesStop, Stopper};
use core::ffi::c_int;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

static IN_USE: AtomicBool = AtomicBool::new(false);

/// Keeps the shutdown's handlers installed; dropping it puts back what was there.
///
/// A handler that another library has installed over ours stays.
///
/// # Examples
///
/// As at [`Shutdown`](super::Shutdown).
#[must_use = "the handlers are taken away when it is dropped"]
pub struct Guard {
    shared: Arc<Shared>,
    before: Vec<(c_int, libc::sigaction)>,
    helper: Option<thread::JoinHandle<()>>,
    reporter: Option<thread::JoinHandle<()>>,
}

impl Guard {
    /// For signals that can be used.
    pub(super) fn begin(
        signals: &[c_int],
        reloads: &[c_int],
        (asks, reporter): (&[c_int], Option<Reporter>),
        limit: Option<Duration>,
    ) -> io::Result<Guard> {
        if IN_USE.swap(true, Ordering::AcqRel) {
            let text = "there is another guard of a shutdown";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        handler::begin(reloads, asks);
        let shared = Arc::new(Shared::new(limit));
        // From here on, dropping it undoes what has been done.
        let mut guard =
            Guard { shared: shared.clone(), before: Vec::new(), helper: None, reporter: None };
        let builder = thread::Builder::new().name("stop-shutdown".into());
        guard.helper = Some(signal::with_all_blocked(|| builder.spawn(move || shared.run()))?);
        guard.reporter = reporter.map(reports::start).transpose()?;
        for &signal in signals.iter().chain(reloads).chain(asks) {
            if guard.before.iter().all(|(other, _)| *other != signal) {
                guard.before.push((signal, handler::install(signal)?));
            }
        }
        Ok(guard)
    }

    /// Returns the root scope, which the first signal stops.
    ///
    /// # Examples
    ///
    /// As at [`Shutdown::exit_code`](super::Shutdown::exit_code).
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.shared.root().clone()
    }

    /// Returns the first signal that came, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<c_int> {
        Some(self.shared.signal()).filter(|signal| *signal != 0)
    }

    /// Runs `f` under a scope that a [reload](super::Shutdown::reload_on) stops, and then again.
    ///
    /// `f` reads the configuration, opens what it names, and serves. The signal stops the
    /// marked calls in `f`, with its name as the reason, and `f` cleans up and returns: `Ok`, or
    /// an error that carries the stop. Then it is called again. A reload that comes before
    /// `f` has returned is not lost, and several are one.
    ///
    /// Open in `f` what a reload has to reopen (a log, say), in the first run too: a signal
    /// that came before the first run does not cause another run.
    /// Before this call, open what should survive a reload (sockets, say), and start the
    /// threads that should survive it. Threads of `f` belong under
    /// [`Stopper::current()`](Stopper::current) there. Several threads may be in this call;
    /// a reload stops all of them.
    ///
    /// Returns the result of `f` if no reload came during that run, if the program is to stop,
    /// or if `f` failed with an error that carries no stop.
    ///
    /// # Errors
    ///
    /// Those of `f`.
    ///
    /// # Examples
    ///
    /// As at [`Shutdown::reload_on`](super::Shutdown::reload_on).
    pub fn run_reloading<T, E: CarriesStop>(
        &self,
        mut f: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        loop {
            let run = self.shared.reloading();
            let result = run.run(&mut f);
            let is_over = result.as_ref().err().is_some_and(|error| error.stopped().is_none());
            if is_over || !run.stop_requested() || self.as_ref().stop_requested() {
                return result;
            }
        }
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
    /// If `main` returns meanwhile, the process ends then, with the exit code of `main`.
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
        self.shared.at_last(Box::new(f));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        for (signal, before) in &self.before {
            handler::restore(*signal, before);
        }
        handler::stop();
        reports::stop();
        for thread in self.helper.take().into_iter().chain(self.reporter.take()) {
            let _ = thread.join();
        }
        IN_USE.store(false, Ordering::Release);
    }
}

impl AsRef<Stopper> for Guard {
    fn as_ref(&self) -> &Stopper {
        self.shared.root()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("stopper", self.shared.root())
            .field("signal", &self.signal())
            .finish_non_exhaustive()
    }
}
