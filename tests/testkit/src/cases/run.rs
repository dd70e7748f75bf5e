//! Running a case: the thread in the call, the proof that it waits, and limits
//! on every step, so that what hangs is a result and not a hang.

use super::{Case, Fixture, Moved, Outcome, Place, TakenBy};
use crate::{blocked_in, thread_id};
use core::ffi::c_long;
use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use stopruntime::{Backend, thread};

/// Only what hangs comes near it: a third of what a whole test may take, on an emulated
/// processor or a busy machine.
fn limit() -> Duration {
    let whole = std::env::var("STOP_TESTS_LIMIT").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(whole.unwrap_or(60_u64) / 3).max(Duration::from_secs(10))
}

/// A thread that makes marked calls.
#[derive(Debug)]
pub struct Running<T> {
    handle: thread::JoinHandle<T>,
    thread: i32,
}

impl<T: Send + 'static> Running<T> {
    /// Starts a thread with this to do.
    ///
    /// # Panics
    ///
    /// If the system has no thread left.
    pub fn start(body: impl FnOnce() -> T + Send + 'static) -> Running<T> {
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).expect("the starter waits for it");
            // Sending does not wait: from here on the thread waits in the call
            // and nowhere else.
            body()
        });
        let thread = receiver.recv().expect("the thread sends its id first");
        Running { handle, thread }
    }

    /// The thread's id.
    #[must_use]
    pub fn thread(&self) -> i32 {
        self.thread
    }

    /// Requests its stop; returns at once.
    pub fn request_stop(&self) {
        self.handle.request_stop();
    }

    /// Waits until it sleeps in one of the calls that the case waits in, and
    /// returns which.
    ///
    /// # Errors
    ///
    /// If it ends before, or sleeps elsewhere, or not at all.
    pub fn wait_until_blocked(&self, case: &Case, backend: Backend) -> Result<c_long, String> {
        let place = case.waits_in(backend);
        let deadline = Instant::now() + limit();
        loop {
            let seen = blocked_in(self.thread);
            if let Some(call) = seen.filter(|call| place.has(*call)) {
                return Ok(call);
            }
            if self.handle.is_finished() {
                return Err("did not wait".into());
            }
            if Instant::now() > deadline {
                let seen = seen.map_or("no system call".into(), call_name);
                return Err(format!("does not wait in {}, but in {seen}", name(place)));
            }
            std::thread::yield_now();
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// If it does not, or has panicked.
    pub fn join(self) -> Result<T, String> {
        let thread = self.thread;
        match self.handle.join_timeout(limit()) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err("the thread panicked".into()),
            Err(handle) => {
                let place = blocked_in(thread).map_or("no system call".into(), call_name);
                // In case that it is busy: not left behind for what comes next.
                handle.request_stop();
                Err(format!("did not end: in {place}"))
            }
        }
    }
}

fn name(place: Place) -> String {
    match place {
        Place::In(calls) => {
            calls.iter().map(|call| call_name(*call)).collect::<Vec<_>>().join(" or ")
        }
        other => format!("{other:?}"),
    }
}

/// The name of a system call that a case can wait in, else its number.
#[must_use]
pub fn call_name(number: c_long) -> String {
    let name = match number {
        libc::SYS_accept4 => "accept4",
        libc::SYS_clock_nanosleep => "clock_nanosleep",
        libc::SYS_connect => "connect",
        libc::SYS_flock => "flock",
        libc::SYS_futex => "futex",
        libc::SYS_futex_waitv => "futex_waitv",
        libc::SYS_openat => "openat",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => "poll",
        libc::SYS_ppoll => "ppoll",
        libc::SYS_read => "read",
        libc::SYS_recvfrom => "recvfrom",
        libc::SYS_sendto => "sendto",
        libc::SYS_waitid => "waitid",
        libc::SYS_write => "write",
        number => return format!("call {number}"),
    };
    name.into()
}

/// Does this in a thread of its own, and gives up on it after a while.
///
/// # Errors
///
/// The error as text, or that it does not end.
fn within<T: Send + 'static>(
    what: &str,
    step: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(step()));
    match receiver.recv_timeout(limit()) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("{what}: {error}")),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("{what}: does not end")),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(format!("{what}: panicked")),
    }
}

type Feed = Box<dyn FnOnce() -> io::Result<String> + Send>;

/// The controller's side of a fixture, whose marked call another thread has.
pub struct Control {
    feed: Option<Feed>,
    expected: Option<String>,
    fixture: Fixture,
    /// Whether what is left over is looked at ([`Case::counts_under_signals`]).
    counts: bool,
}

impl Control {
    /// Splits a fixture of the case into the marked call and the rest.
    #[must_use]
    pub fn split(
        case: &Case,
        mut fixture: Fixture,
    ) -> (Box<dyn FnMut() -> Outcome + Send>, Control) {
        let marked = core::mem::replace(&mut fixture.marked, Box::new(|| unreachable!("split")));
        let feed = core::mem::replace(&mut fixture.feed, Box::new(|| unreachable!("split")));
        let counts = case.counts_under_signals;
        (marked, Control { feed: Some(feed), expected: None, fixture, counts })
    }

    /// Makes the call complete; what it has to report then.
    ///
    /// # Errors
    ///
    /// If feeding fails.
    pub fn feed(&mut self) -> Result<String, String> {
        if let Some(feed) = self.feed.take() {
            self.expected = Some(within("feeding", feed)?);
        }
        self.expected.clone().ok_or_else(|| "feeding failed before".into())
    }

    /// After the call was stopped: with what it had moved before, the plain
    /// call comes to what it would have come to without the stop, and nothing
    /// is left over. Feeds, if that has not been done.
    ///
    /// # Errors
    ///
    /// What was lost, or moved twice.
    pub fn nothing_lost(mut self, moved: Moved) -> Result<(), String> {
        let expected = self.feed()?;
        let Fixture { plain, verify, keep, .. } = self.fixture;
        let got = within("the plain call after the stop", move || plain(moved))?;
        if got != expected {
            return Err(format!("the plain call after the stop: {got:?}, not {expected:?}"));
        }
        let left = within("what is left", move || verify(TakenBy::Plain));
        if self.counts {
            left?;
        }
        drop(keep);
        Ok(())
    }

    /// After the call has completed with this: it is right, and nothing is left
    /// over.
    ///
    /// # Errors
    ///
    /// What is not as it should be.
    pub fn completed(mut self, got: &str) -> Result<(), String> {
        let expected = self.feed()?;
        if got != expected {
            return Err(format!("completed with {got:?}, not {expected:?}"));
        }
        let Fixture { plain, verify, keep, .. } = self.fixture;
        drop(plain);
        let left = within("what is left", move || verify(TakenBy::Marked));
        if self.counts {
            left?;
        }
        drop(keep);
        Ok(())
    }
}

impl core::fmt::Debug for Control {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Control").field("expected", &self.expected).finish_non_exhaustive()
    }
}
