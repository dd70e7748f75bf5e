//! Which threads there are, what each of them does, and why one does not stop.
//!
//! [`threads`] looks at the threads that the runtime knows: those of
//! [`thread::spawn`](crate::thread::spawn) and its like from their beginning, and others
//! from their first marked call or [`Stopper::current`](crate::Stopper::current) on. As text, a report has a line for
//! each thread:
//!
//! ```text
//! server (4710): waits in futex (marked)
//! collector (4711): waits in recvfrom (marked) on descriptor 5 (UDP 127.0.0.1:5514)
//! uploader (4712): waits in recvfrom (not marked) on descriptor 7 (TCP 127.0.0.1:41712 to
//! 127.0.0.1:80); stop requested 3.2 s ago: SIGTERM; its call is not marked
//! ```
//!
//! (The third line is broken here.) Of a thread that has not been asked to stop, a line says what
//! would keep it: `…; would not stop: its call is not marked`. What is known:
//!
//! | of a thread | from where |
//! |---|---|
//! | its name, the first 15 bytes (of the main thread the program's) | `/proc/self/task/ID/status` |
//! | whether it runs, waits, or is stopped | the same |
//! | in which system call, and its arguments | `/proc/self/task/ID/syscall` |
//! | whether the call is marked, or in a region of foreign code | its record |
//! | where in the source, with the feature `backtrace` | its stack and the program's debug information |
//! | on what: address, path, pipe, child, thread, futex | `/proc/self/fd`, getsockname(2), getpeername(2) |
//! | since when it is to stop, and why | the [`Stopper`](crate::Stopper) |
//! | why it does not stop, or would not | all of these; see [`Obstacle`] |
//!
//! How long a thread has been waiting is **not known**: the kernel does not report it, and a
//! marked call spends no time on recording it. Compare two reports.
//! `/proc` shows system calls by the numbers
//! of the machine; under an emulator of another one the names are wrong.
//!
//! Where `/proc` is not mounted or not readable (a sandbox; a program that is not dumpable and
//! not run by root: prctl(2), `PR_SET_DUMPABLE`), the line says what could not be read.
//!
//! A report allocates and opens files. Do not make one in a signal handler: wake a thread that
//! makes it. A report stops none of the threads.

mod activity;
mod audit;
mod descriptor;
mod line;
mod look;
mod memory;
mod names;
mod obstacle;
#[cfg_attr(not(feature = "backtrace"), path = "no_place.rs")]
mod place;
mod sleep;
mod task;
mod thread;
mod waits_for;

pub use activity::{Activity, Wait};
pub(crate) use audit::start as start_audit;
pub use audit::{Audit, Unmarked, audit};
pub use descriptor::Descriptor;
pub use obstacle::Obstacle;
pub(crate) use place::own as own_place;
pub use thread::{Request, ThreadReport};
pub use waits_for::WaitsFor;

use crate::runtime::record::Record;
use crate::runtime::records;
use crate::runtime::scopes::cell::ScopeCell;
use crate::runtime::slot;

/// Reports on the threads that the runtime knows, in the order of their ids.
///
/// The threads go on meanwhile, and each is looked at in a moment of its own. See the
/// [module](self) for what is known of them.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::ext::sleep_or_stop;
/// use stopruntime::report::threads;
/// use stopruntime::thread::Builder;
///
/// let sleeper = Builder::new().name("sleeper".into()).spawn(|| sleep_or_stop(Duration::MAX))?;
/// # while sleeper.report().id.is_none() { std::thread::yield_now() }
/// let report = threads();
/// assert!(report.iter().any(|thread| thread.name == "sleeper"));
/// eprintln!("{report}");
/// assert!(sleeper.stop_and_join().unwrap().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn threads() -> Threads {
    // In a forked child.
    if let Some(own) = slot::own() {
        own.known.identify_again();
    }
    reports_of(|record| record.known.thread().is_some() && !record.known.is_of_another_process())
}

/// The threads that run under this scope and have not ended.
pub(crate) fn under(scope: &ScopeCell) -> Threads {
    reports_of(|record| {
        !record.has_ended() && !record.known.is_of_another_process() && record.stands_under(scope)
    })
}

fn reports_of(is_meant: impl Fn(&Record) -> bool) -> Threads {
    let meant = records::held().filter(|record| is_meant(record));
    let reports = meant.map(|record| ThreadReport::of(&record));
    let mut threads: Vec<_> =
        reports.filter(|report| !matches!(report.activity, Activity::Ended)).collect();
    threads.sort_by_key(|report| report.id);
    Threads { threads }
}

/// Lists threads, with a line of text for each.
///
/// # Examples
///
/// As at [`threads`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Threads {
    threads: Vec<ThreadReport>,
}

impl Threads {
    pub(crate) fn new(threads: Vec<ThreadReport>) -> Threads {
        Threads { threads }
    }
}

impl core::ops::Deref for Threads {
    type Target = [ThreadReport];

    fn deref(&self) -> &[ThreadReport] {
        &self.threads
    }
}

impl IntoIterator for Threads {
    type Item = ThreadReport;
    type IntoIter = std::vec::IntoIter<ThreadReport>;

    fn into_iter(self) -> Self::IntoIter {
        self.threads.into_iter()
    }
}

impl<'a> IntoIterator for &'a Threads {
    type Item = &'a ThreadReport;
    type IntoIter = core::slice::Iter<'a, ThreadReport>;

    fn into_iter(self) -> Self::IntoIter {
        self.threads.iter()
    }
}
