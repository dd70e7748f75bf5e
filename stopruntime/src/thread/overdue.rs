//! Threads that did not end in time.

use crate::report::{ThreadReport, Threads};
use std::error::Error;
use std::fmt;
use std::thread::Thread;

/// Reports that some threads of a [`Group`](super::Group) did not end in time: which, and
/// what each of them did by then.
///
/// As text, it has a [line](crate::report) for each of them.
///
/// # Examples
///
/// As at [`Group::join_timeout`](super::Group::join_timeout).
#[derive(Clone)]
pub struct Overdue {
    threads: Vec<Thread>,
    report: Threads,
}

impl Overdue {
    pub(super) fn new(threads: Vec<(Thread, ThreadReport)>) -> Overdue {
        let (threads, reports) = threads.into_iter().unzip();
        Overdue { threads, report: Threads::new(reports) }
    }

    /// Returns the threads that have not ended, in the order in which they were started.
    #[must_use]
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }

    /// Returns what each of them did when the time was over, in the same order.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::thread::Group;
    ///
    /// let mut workers = Group::new();
    /// let (sender, receiver) = std::sync::mpsc::channel::<()>();
    /// workers.spawn_named("receiver", move || drop(receiver.recv())); // not marked
    /// workers.request_stop();
    /// let overdue = workers.join_timeout(Duration::from_millis(50)).unwrap_err();
    /// // threads have not ended:
    /// // receiver (4711): waits in futex (not marked) on the word at 0x7f3b7c000d90; stop
    /// // requested 0.1 s ago; its call is not marked
    /// eprintln!("{overdue}");
    /// assert_eq!(overdue.report()[0].name, "receiver");
    /// drop(sender);
    /// ```
    #[must_use]
    pub fn report(&self) -> &Threads {
        &self.report
    }
}

impl fmt::Display for Overdue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "threads have not ended:\n{}", self.report)
    }
}

impl fmt::Debug for Overdue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.report.iter().map(ToString::to_string);
        formatter.write_str("Overdue ")?;
        formatter.debug_list().entries(lines).finish()
    }
}

impl Error for Overdue {}
