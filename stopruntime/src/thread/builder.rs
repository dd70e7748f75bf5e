//! Starting a thread that can be stopped.

use super::JoinHandle;
use crate::runtime::current;
use crate::runtime::record::Record;
use crate::scope::Stopper;
use std::sync::Arc;
use std::{fmt, io};

/// A thread to be, with a name and a stack size: the shape of
/// [`std::thread::Builder`].
///
/// ```
/// use stopruntime::thread;
///
/// let worker = thread::Builder::new()
///     .name("worker".into())
///     .stack_size(64 * 1024)
///     .spawn(|| stopruntime::check().is_ok())?;
/// assert_eq!(worker.thread().name(), Some("worker"));
/// assert!(worker.join().unwrap());
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a Builder does nothing until it spawns"]
pub struct Builder {
    inner: std::thread::Builder,
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// No name, the default stack.
    pub fn new() -> Builder {
        Builder { inner: std::thread::Builder::new() }
    }

    /// The thread's name, as panics, debuggers and `/proc` show it.
    ///
    /// # Panics
    ///
    /// When the thread is spawned, if the name contains a null byte.
    pub fn name(self, name: String) -> Builder {
        Builder { inner: self.inner.name(name) }
    }

    /// The stack size in bytes.
    pub fn stack_size(self, size: usize) -> Builder {
        Builder { inner: self.inner.stack_size(size) }
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// As [`std::thread::Builder::spawn`].
    ///
    /// # Panics
    ///
    /// If the runtime cannot be installed; see [`backend`](crate::backend()).
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (stopper, f) = prepare(f);
        let inner = self.inner.spawn(f)?;
        Ok(JoinHandle::new(inner, stopper))
    }

    /// Starts a thread that may borrow what does not live as long as the program.
    ///
    /// # Errors
    ///
    /// As [`std::thread::Builder::spawn_unchecked`].
    ///
    /// # Panics
    ///
    /// If the runtime cannot be installed; see [`backend`](crate::backend()).
    ///
    /// # Safety
    ///
    /// As [`std::thread::Builder::spawn_unchecked`]: the caller joins the thread
    /// before anything that `f` or its value borrows is gone.
    #[track_caller]
    #[allow(unsafe_code, reason = "std's own function")]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        let (stopper, f) = prepare(f);
        // SAFETY: the caller's promise; what is put around `f` borrows nothing.
        let inner = unsafe { self.inner.spawn_unchecked(f)? };
        Ok(JoinHandle::new(inner, stopper))
    }

    /// Starts a thread of a scope of std's.
    pub(super) fn spawn_inside<'scope, F, T>(
        self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        f: F,
    ) -> io::Result<(std::thread::ScopedJoinHandle<'scope, T>, Stopper)>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (stopper, f) = prepare(f);
        let inner = self.inner.spawn_scoped(scope, f)?;
        Ok((inner, stopper))
    }
}

/// The stopper exists before the thread does, so a request made at once is
/// there when the thread begins.
#[track_caller]
fn prepare<T>(f: impl FnOnce() -> T) -> (Stopper, impl FnOnce() -> T) {
    // Here and not in the new thread, so that a failure is the caller's.
    crate::runtime::install::ensure();
    let record = Arc::new(Record::new(0));
    let stopper = Stopper::of(Arc::clone(&record));
    let f = move || {
        // mutant: first-marked-call-takes-record
        current::start(record);
        f()
    };
    (stopper, f)
}
