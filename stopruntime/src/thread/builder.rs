//! Starting a thread that can be stopped.

use super::JoinHandle;
use crate::runtime::attach;
use crate::runtime::records::RecordRef;
use crate::scope::Stopper;
use std::{fmt, io};

/// Starts a thread with a name, a stack size or a scope, like [`std::thread::Builder`].
///
/// # Examples
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
    under: Option<Stopper>,
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
    /// Creates a builder of threads without a name, with the default stack.
    pub fn new() -> Builder {
        Builder { inner: std::thread::Builder::new(), under: None }
    }

    /// Sets the thread's name, which panics, debuggers and `/proc` show.
    ///
    /// # Panics
    ///
    /// When the thread is spawned, if the name contains a null byte.
    pub fn name(self, name: String) -> Builder {
        Builder { inner: self.inner.name(name), ..self }
    }

    /// Sets the stack size, in bytes.
    pub fn stack_size(self, size: usize) -> Builder {
        Builder { inner: self.inner.stack_size(size), ..self }
    }

    /// Stops the thread with this scope, as well as alone.
    ///
    /// The thread runs under the scope from its beginning to its end. Without this, it runs
    /// under no scope except its own, as in std. If it is called again, the last scope
    /// counts.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::ext::sleep_or_stop;
    /// use stopruntime::{Stopper, thread};
    ///
    /// let service = Stopper::new();
    /// let sleep = || sleep_or_stop(Duration::MAX).is_err();
    /// let sleepers = [
    ///     thread::Builder::new().under(&service).spawn(sleep)?,
    ///     thread::Builder::new().under(&service.child()).spawn(sleep)?,
    /// ];
    /// service.request_stop();
    /// for sleeper in sleepers {
    ///     assert!(sleeper.join().unwrap());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn under(self, scope: &Stopper) -> Builder {
        Builder { under: Some(scope.clone()), ..self }
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
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::thread::Builder;
    ///
    /// let worker = Builder::new().name("worker".into()).spawn(|| 7)?;
    /// assert_eq!(worker.join().unwrap(), 7);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (stopper, f) = prepare(self.under, f);
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
        let (stopper, f) = prepare(self.under, f);
        // SAFETY: the caller's promise; what is put around `f` borrows nothing.
        let inner = unsafe { self.inner.spawn_unchecked(f)? };
        Ok(JoinHandle::new(inner, stopper))
    }

    /// Starts a thread that is stopped with this scope as well.
    pub(super) fn spawn_also_under<F, T>(self, stopper: &Stopper, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (stopper, f) = prepare([Some(stopper.clone()), self.under].into_iter().flatten(), f);
        let inner = self.inner.spawn(f)?;
        Ok(JoinHandle::new(inner, stopper))
    }

    /// Starts a thread of a scope of std's.
    pub(super) fn spawn_inside<'scope, F, T>(
        self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        stopper: &Stopper,
        f: F,
    ) -> io::Result<(std::thread::ScopedJoinHandle<'scope, T>, Stopper)>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (stopper, f) = prepare([Some(stopper.clone()), self.under].into_iter().flatten(), f);
        let inner = self.inner.spawn_scoped(scope, f)?;
        Ok((inner, stopper))
    }
}

/// The stopper exists before the thread does, so a request made at once is
/// there when the thread begins.
#[track_caller]
fn prepare<T>(
    under: impl IntoIterator<Item = Stopper>,
    f: impl FnOnce() -> T,
) -> (Stopper, impl FnOnce() -> T) {
    // Here and not in the new thread, so that a failure is the caller's.
    crate::runtime::install::ensure();
    let record = RecordRef::take(false, under.into_iter().map(Stopper::into_scope));
    let stopper = Stopper::of(record.clone());
    let f = move || {
        // mutant: first-call-takes-record
        attach::start(record);
        f()
    };
    (stopper, f)
}
