//! What a record has for [reports](crate::report), and nothing else needs.
//!
//! | word | values | written by |
//! |---|---|---|
//! | `thread`, `process` | the thread's id and its process's; 0 before it begins and after its end | the thread |
//! | `swallowed` | how often it has been stopped and gone on, in debug builds | the thread |
//!
//! A thread that ends takes its id back before another one can be given it. So what is
//! read of `/proc` between two looks at the id is of this thread.

use crate::runtime::signal;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// More stops than a thread meets that is about to end.
pub(crate) const MANY: u32 = 1000;

pub(crate) struct Known {
    thread: AtomicI32,
    process: AtomicI32,
    swallowed: AtomicU32,
}

impl Known {
    pub(crate) const fn new() -> Known {
        Known {
            thread: AtomicI32::new(0),
            process: AtomicI32::new(0),
            swallowed: AtomicU32::new(0),
        }
    }

    /// The record is the calling thread's.
    pub(crate) fn identify(&self) {
        self.process.store(signal::process_id(), Ordering::Relaxed);
        self.swallowed.store(0, Ordering::Relaxed);
        self.thread.store(signal::thread_id(), Ordering::SeqCst);
    }

    /// In a forked child, on the calling thread's own record, which is still the one of
    /// the thread that forked.
    pub(crate) fn identify_again(&self) {
        if self.process.load(Ordering::Relaxed) != signal::process_id() {
            self.identify();
        }
    }

    /// The thread ends.
    pub(crate) fn forget(&self) {
        self.thread.store(0, Ordering::SeqCst);
    }

    /// The thread's id, while there is one.
    pub(crate) fn thread(&self) -> Option<c_int> {
        Some(self.thread.load(Ordering::SeqCst)).filter(|id| *id != 0)
    }

    /// Whether the thread is one of a process that has forked this one.
    pub(crate) fn is_of_another_process(&self) -> bool {
        let process = self.process.load(Ordering::Relaxed);
        process != 0 && process != signal::process_id()
    }

    /// The thread has been stopped; how often before.
    pub(crate) fn swallow(&self) -> u32 {
        let before = self.swallowed.load(Ordering::Relaxed);
        self.swallowed.store(before.saturating_add(1), Ordering::Relaxed);
        before
    }

    pub(crate) fn swallowed(&self) -> u32 {
        self.swallowed.load(Ordering::Relaxed)
    }
}
