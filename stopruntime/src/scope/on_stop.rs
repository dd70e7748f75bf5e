//! Callbacks that run when a scope is stopped.
//!
//! # Safety
//!
//! The invariant of this module: what [`during`] makes of a callback that borrows is
//! withdrawn before `during` returns or unwinds.

#![allow(unsafe_code)]

use super::Stopper;
use crate::runtime::scopes::callbacks::{self, Number, What};
use crate::runtime::scopes::cell::ScopeRef;
use crate::runtime::scopes::look;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::{fmt, mem};

impl Stopper {
    /// Runs `f` when the scope is stopped, by a request or by its deadline: on a thread of
    /// the runtime's own, or at once on this one if the scope is stopped already. For
    /// waits that know a way of their own to be ended: `interrupt()`, `close()`,
    /// `notify()`.
    ///
    /// Dropping the [`OnStop`] withdraws `f`. If `f` is running by then, the drop waits
    /// until it has returned, except in `f` itself (`std::stop_callback` of C++20).
    ///
    /// All callbacks of the process run on one thread, one after the other: `f` should
    /// be short. A panic in it is reported, and the next one runs.
    ///
    /// # Panics
    ///
    /// If the thread for the callbacks cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use stopruntime::Stopper;
    ///
    /// let job = Stopper::new();
    /// let (sender, receiver) = mpsc::channel();
    /// let on_stop = job.on_stop(move || sender.send("interrupted").unwrap());
    /// job.request_stop();
    /// assert_eq!(receiver.recv(), Ok("interrupted"));
    /// drop(on_stop);
    /// ```
    #[doc(alias = "stop_callback")]
    pub fn on_stop<F: FnOnce() + Send + 'static>(&self, f: F) -> OnStop {
        OnStop::new(self.scope(), What::Run(Box::new(f)))
    }

    /// Runs `body` and returns its value; if the scope is stopped meanwhile, runs `f` as
    /// well, as [`on_stop`](Stopper::on_stop) does. `f` may borrow: it has returned, or
    /// will never run, when this returns.
    ///
    /// # Panics
    ///
    /// If the thread for the callbacks cannot be started. A panic of `body` passes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::net::{Shutdown, TcpListener, TcpStream};
    /// use std::io::Read;
    /// use stopruntime::Stopper;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// let job = Stopper::new();
    /// let stopper = job.clone();
    /// let asker = std::thread::spawn(move || stopper.request_stop());
    /// // A read that is not marked: the stop shuts the stream down.
    /// let read = job.with_on_stop(
    ///     || stream.shutdown(Shutdown::Both).unwrap(),
    ///     || (&stream).read(&mut [0]),
    /// );
    /// assert_eq!(read?, 0);
    /// # asker.join().unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "stop_callback")]
    pub fn with_on_stop<F: FnOnce() + Send, R>(&self, f: F, body: impl FnOnce() -> R) -> R {
        during(self.scope(), f, body)
    }

    /// Returns a future that is ready when the scope is stopped, by a request or by its
    /// deadline; for any executor.
    ///
    /// # Panics
    ///
    /// Polling it panics if the thread for the callbacks cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    /// use stopruntime::Stopper;
    ///
    /// let job = Stopper::new();
    /// let mut stopped = pin!(job.stopped());
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(stopped.as_mut().poll(&mut context), Poll::Pending);
    /// job.request_stop();
    /// assert_eq!(stopped.as_mut().poll(&mut context), Poll::Ready(()));
    /// ```
    #[doc(alias = "tokio")]
    #[doc(alias = "async")]
    #[doc(alias = "cancelled")]
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        WhenStopped::new(self.scope().clone())
    }

    /// Drives `future` to its end and returns its value; `None` if the scope is stopped
    /// before. A future that has not ended is dropped with the one that this returns.
    ///
    /// # Panics
    ///
    /// Polling it panics if the thread for the callbacks cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::pending;
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    /// use stopruntime::Stopper;
    ///
    /// let job = Stopper::new();
    /// let mut running = pin!(job.run_until_stopped(pending::<()>()));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(running.as_mut().poll(&mut context), Poll::Pending);
    /// job.request_stop();
    /// assert_eq!(running.as_mut().poll(&mut context), Poll::Ready(None));
    /// ```
    #[doc(alias = "run_until_cancelled")]
    pub async fn run_until_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut stopped = pin!(self.stopped());
        let mut future = pin!(future);
        poll_fn(|context| match stopped.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => future.as_mut().poll(context).map(Some),
        })
        .await
    }
}

/// Withdraws a callback of [`Stopper::on_stop`] or [`Stopper::on_overdue`] when it is dropped.
///
/// # Examples
///
/// ```
/// use stopruntime::Stopper;
///
/// let job = Stopper::new();
/// let on_stop = job.on_stop(|| unreachable!());
/// drop(on_stop); // withdraws it
/// job.request_stop();
/// ```
#[must_use = "dropped at once, it withdraws the callback at once"]
pub struct OnStop {
    number: Number,
}

impl OnStop {
    pub(super) fn new(scope: &ScopeRef, what: What) -> OnStop {
        OnStop { number: callbacks::add(scope, what) }
    }
}

impl Drop for OnStop {
    fn drop(&mut self) {
        callbacks::withdraw(self.number);
    }
}

impl fmt::Debug for OnStop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnStop").finish_non_exhaustive()
    }
}

/// Runs `body`, and `f` if the scope is stopped meanwhile.
fn during<'f, R>(scope: &ScopeRef, f: impl FnOnce() + Send + 'f, body: impl FnOnce() -> R) -> R {
    let f: Box<dyn FnOnce() + Send + 'f> = Box::new(f);
    // SAFETY: only a lifetime is changed. The destructor of what holds it returns when
    // `f` has returned and is dropped, or has been dropped without being called; and it
    // runs before this function is left.
    let f = unsafe { mem::transmute::<Box<dyn FnOnce() + Send + 'f>, Box<dyn FnOnce() + Send>>(f) };
    let _on_stop = OnStop::new(scope, What::Run(f));
    body()
}

/// Is ready when the scope is stopped.
struct WhenStopped {
    scope: ScopeRef,
    waits: Option<(Number, Waker)>,
}

impl WhenStopped {
    fn new(scope: ScopeRef) -> WhenStopped {
        WhenStopped { scope, waits: None }
    }

    fn withdraw(&mut self) {
        if let Some((number, _)) = self.waits.take() {
            callbacks::withdraw(number);
        }
    }
}

impl Future for WhenStopped {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if look::is_stopped(&self.scope) {
            self.withdraw();
            return Poll::Ready(());
        }
        let waker = context.waker();
        if self.waits.as_ref().is_none_or(|(_, known)| !known.will_wake(waker)) {
            self.withdraw();
            // If the scope is stopped by now, it wakes the task at once.
            let what = What::Wake(waker.clone());
            let number = callbacks::add(&self.scope, what);
            self.waits = Some((number, waker.clone()));
        }
        Poll::Pending
    }
}

impl Drop for WhenStopped {
    fn drop(&mut self) {
        self.withdraw();
    }
}
