//! Requests: a flag per thread, and the end of the wait that it is in.

use crate::atomic::AtomicU32;
use crate::futex;
use core::cell::RefCell;
use core::fmt;
use loom::sync::atomic::Ordering::{Acquire, Release};
use std::sync::Arc;

/// What a request reaches its thread by.
#[derive(Debug, Default)]
pub(crate) struct Record {
    requested: AtomicU32,
}

impl Record {
    /// Never an old value: `request_stop` returns when the target sees it.
    pub(crate) fn requested(&self) -> bool {
        self.requested.touch(Acquire) != 0
    }
}

/// As `stopruntime::Stopper`.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Record>);

impl Stopper {
    pub(crate) fn new() -> Stopper {
        Stopper(Arc::default())
    }

    /// The calling thread's own.
    #[must_use]
    pub fn current() -> Stopper {
        Stopper(current())
    }

    /// Requests a stop. True if it is the first.
    #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
    pub fn request_stop(&self) -> bool {
        let before = self.0.requested.swap(1, Release);
        futex::stop(&self.0);
        before == 0
    }
}

/// As `stopruntime::Stopped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the thread has been requested to stop")
    }
}

impl std::error::Error for Stopped {}

loom::thread_local! {
    static CURRENT: RefCell<Arc<Record>> = RefCell::default();
}

pub(crate) fn current() -> Arc<Record> {
    CURRENT.with(|current| Arc::clone(&current.borrow()))
}

/// Makes the calling thread the one that this stops.
pub(crate) fn adopt(stopper: &Stopper) {
    CURRENT.with(|current| *current.borrow_mut() = Arc::clone(&stopper.0));
}

/// A checkpoint.
///
/// # Errors
///
/// [`Stopped`] if a stop of the calling thread is requested.
pub fn check() -> Result<(), Stopped> {
    if current().requested() { Err(Stopped) } else { Ok(()) }
}
