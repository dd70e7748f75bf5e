//! The thread that makes the reports.
//!
//! Not the helper: what is done with a report may take long (a reader of standard error that
//! has gone to sleep), and must not hold up a stop.

use crate::report::{self, Threads};
use crate::runtime::futex::{futex_wait, futex_wake};
use crate::runtime::signal;
use core::sync::atomic::{AtomicU32, Ordering};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

pub(super) type Reporter = Box<dyn FnMut(Threads) + Send>;

/// A report is asked for.
const ASKED: u32 = 1;
/// The thread is to end, or has not begun.
const ENDED: u32 = 2;

/// The thread waits on it.
static STATE: AtomicU32 = AtomicU32::new(ENDED);

/// Asks for a report. Async-signal-safe.
pub(super) fn ask() {
    if STATE.fetch_or(ASKED, Ordering::AcqRel) == 0 {
        futex_wake(&STATE);
    }
}

/// Starts the thread.
pub(super) fn start(mut f: Reporter) -> io::Result<JoinHandle<()>> {
    STATE.store(0, Ordering::Release);
    let builder = thread::Builder::new().name("stop-reports".into());
    signal::with_all_blocked(|| builder.spawn(move || run(&mut *f)))
}

/// Ends it, after the reports that it has been asked for.
pub(super) fn stop() {
    STATE.fetch_or(ENDED, Ordering::AcqRel);
    futex_wake(&STATE);
}

fn run(f: &mut (dyn FnMut(Threads) + Send)) {
    loop {
        // What is asked for from now on is another report.
        let state = STATE.fetch_and(!ASKED, Ordering::AcqRel);
        if state & ASKED != 0 {
            // A panic is reported, and the next report is made.
            // mutant: asked-reports-are-made
            let _ = catch_unwind(AssertUnwindSafe(|| f(report::threads())));
        } else if state == ENDED {
            return;
        } else {
            futex_wait(&STATE, 0, None);
        }
    }
}
