//! Threads of a model that can be asked to stop.

use crate::futex;
use crate::scope::{self, Stopper};
use loom::thread;

/// A thread, as `stopruntime::thread::JoinHandle`.
#[derive(Debug)]
pub struct JoinHandle<T> {
    thread: thread::JoinHandle<T>,
    stopper: Stopper,
}

/// As `stopruntime::thread::spawn`. A model has five threads at most, the one
/// that it starts with among them.
pub fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let stopper = Stopper::new();
    let theirs = stopper.clone();
    let thread = thread::spawn(move || {
        scope::adopt(&theirs);
        run()
    });
    JoinHandle { thread, stopper }
}

impl<T> JoinHandle<T> {
    /// Requests a stop.
    pub fn request_stop(&self) {
        self.stopper.request_stop();
    }

    /// A handle to request it from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Makes the wait that the thread may be in return early.
    pub fn interrupt(&self) {
        futex::interrupt(self.thread.thread());
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it panicked.
    #[allow(clippy::must_use_candidate, reason = "the end is what is waited for")]
    pub fn join(self) -> T {
        self.thread.join().unwrap()
    }

    /// Requests a stop and waits for the end.
    ///
    /// # Panics
    ///
    /// If it panicked.
    #[allow(clippy::must_use_candidate, reason = "the end is what is waited for")]
    pub fn stop_and_join(self) -> T {
        self.request_stop();
        self.join()
    }
}
