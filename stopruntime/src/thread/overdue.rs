//! Threads that did not end in time.

use std::error::Error;
use std::fmt;
use std::thread::Thread;

/// Reports that some threads of a [`Group`](super::Group) did not end in time, and which.
#[derive(Clone, Debug)]
pub struct Overdue {
    threads: Vec<Thread>,
}

impl Overdue {
    pub(super) fn new(threads: Vec<Thread>) -> Overdue {
        Overdue { threads }
    }

    /// Returns the threads that have not ended, in the order in which they were started.
    #[must_use]
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }
}

impl fmt::Display for Overdue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("threads have not ended:")?;
        for (at, thread) in self.threads.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(
                formatter,
                "{comma} {} ({:?})",
                thread.name().unwrap_or("unnamed"),
                thread.id()
            )?;
        }
        Ok(())
    }
}

impl Error for Overdue {}
