//! Being told of threads that do not stop.

use super::{OnStop, Stopper, told};
use crate::event::Event;
use crate::report::{self, Threads};
use crate::runtime::scopes::callbacks::What;
use std::time::Duration;

impl Stopper {
    /// Runs `f` if threads still run under the scope this long after it was stopped, with
    /// a report on them: what each does, and why it does not stop.
    ///
    /// A thread counts until it has ended, or left the [`run`](Stopper::run) that brought it
    /// under the scope; in a [`shield`](crate::shield()) as well. If there is none by then,
    /// `f` is not run. It is run once, and as [`on_stop`](Stopper::on_stop) does it: on the
    /// one thread of the runtime's own that runs all callbacks. If the scope is stopped
    /// already, the time begins now.
    ///
    /// Dropping the [`OnStop`] withdraws `f`.
    ///
    /// # Panics
    ///
    /// If the thread for the callbacks cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    /// use stopruntime::Stopper;
    /// use stopruntime::thread::Builder;
    ///
    /// let service = Stopper::new();
    /// let (told, hears) = mpsc::channel();
    /// let _on_overdue = service.on_overdue(Duration::from_millis(20), move |threads| {
    ///     eprintln!("not stopped yet:\n{threads}");
    ///     told.send(threads.len()).unwrap();
    /// });
    /// let (sender, receiver) = mpsc::channel::<()>();
    /// let stuck = Builder::new().under(&service).spawn(move || drop(receiver.recv()))?;
    /// service.request_stop();
    /// assert_eq!(hears.recv(), Ok(1));
    /// drop(sender);
    /// # stuck.join().unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_overdue<F: FnOnce(Threads) + Send + 'static>(&self, limit: Duration, f: F) -> OnStop {
        let scope = self.scope().clone();
        let run = move || {
            let late = report::under(&scope);
            if !late.is_empty() {
                late.iter().for_each(|thread| told::tell(&Event::Overdue(thread)));
                f(late);
            }
        };
        OnStop::new(self.scope(), What::RunLater(limit, Box::new(run)))
    }
}
