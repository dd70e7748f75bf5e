//! A thread that makes one call, watched from outside.

use super::{Call, Case};
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use stop_tests::{blocked_in, thread_id};
use stopruntime::{Stopped, thread};

/// Only a hang comes near it.
const LIMIT: Duration = Duration::from_secs(10);

/// A finished call: its result, and `errno` if it is -1.
pub type Outcome = Result<(i64, i32), Stopped>;

/// What comes back: the call, to be made again; what it came to; and whether
/// a checkpoint after it reports a stop.
pub type Ended = (Call, Outcome, bool);

/// A thread that makes a call, and then waits to be requested.
pub struct Caller {
    handle: thread::JoinHandle<Ended>,
    thread: i32,
    returned: Arc<AtomicBool>,
}

impl Caller {
    /// Makes the call at once, or when it has been requested to stop.
    pub fn start(mut call: Call, when_requested: bool) -> Caller {
        let (sender, receiver) = mpsc::channel();
        let returned = Arc::new(AtomicBool::new(false));
        let returns = Arc::clone(&returned);
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            if when_requested {
                until_requested();
            }
            let outcome = call().map(|result| {
                let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
                (result, if result == -1 { errno } else { 0 })
            });
            returns.store(true, Ordering::SeqCst);
            until_requested();
            (call, outcome, stopruntime::check().is_err())
        });
        Caller { handle, thread: receiver.recv().unwrap(), returned }
    }

    /// Waits until the call sleeps (true) or has returned (false).
    pub fn waits(&self, case: &Case) -> Result<bool, String> {
        const FUTEX: [libc::c_long; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];
        let deadline = Instant::now() + LIMIT;
        while !self.has_returned() {
            let asleep = blocked_in(self.thread);
            if asleep.is_some_and(|call| FUTEX.contains(&call) == case.in_futex) {
                return Ok(true);
            }
            self.in_time(deadline)?;
        }
        Ok(false)
    }

    /// Waits until the call has returned.
    pub fn returns(&self) -> Result<(), String> {
        let deadline = Instant::now() + LIMIT;
        while !self.has_returned() {
            self.in_time(deadline)?;
        }
        Ok(())
    }

    /// Or has panicked.
    fn has_returned(&self) -> bool {
        self.returned.load(Ordering::SeqCst) || self.handle.is_finished()
    }

    fn in_time(&self, deadline: Instant) -> Result<(), String> {
        std::thread::yield_now();
        let late = || format!("no end: asleep in {:?}", blocked_in(self.thread));
        if Instant::now() < deadline { Ok(()) } else { Err(late()) }
    }

    /// Requests its stop.
    pub fn end(self) -> Result<Ended, String> {
        assert!(self.handle.request_stop(), "requested before");
        match self.handle.join_timeout(LIMIT) {
            Ok(ended) => ended.map_err(|panic| panic_text(&*panic)),
            Err(_) => Err(format!("is not stopped: asleep in {:?}", blocked_in(self.thread))),
        }
    }
}

fn until_requested() {
    while !stopruntime::stop_requested() {
        std::thread::yield_now();
    }
}

pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
