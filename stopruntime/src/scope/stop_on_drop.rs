//! The owner of a scope that ends with it.

use super::Stopper;
use core::ops::Deref;

/// Requests a scope to stop when it is dropped, and does not wait.
///
/// [`Stopper::stop_on_drop`] makes it, for a task that may be aborted or a struct that owns a
/// job.
///
/// # Examples
///
/// ```
/// use stopruntime::{StopOnDrop, Stopper};
///
/// struct Query {
///     job: StopOnDrop,
/// }
///
/// let query = Query { job: Stopper::new().stop_on_drop() };
/// let job = Stopper::clone(&query.job); // what the thread of a pool runs
/// drop(query);
/// assert!(job.stop_requested());
/// ```
#[doc(alias = "DropGuard")]
#[derive(Debug)]
#[must_use = "dropped at once, it stops the scope at once"]
pub struct StopOnDrop {
    /// There until it is given back.
    stopper: Option<Stopper>,
}

const OWNED: &str = "the handle is there until the guard is gone";

impl Stopper {
    /// Returns a guard that requests the stop when it is dropped.
    #[doc(alias = "drop_guard")]
    #[doc(alias = "tokio")]
    #[doc(alias = "spawn_blocking")]
    pub fn stop_on_drop(self) -> StopOnDrop {
        StopOnDrop { stopper: Some(self) }
    }
}

impl StopOnDrop {
    /// Gives the handle back, without a request.
    #[allow(clippy::missing_panics_doc, reason = "it is there")]
    #[must_use = "dropped, the handle does nothing"]
    pub fn into_stopper(mut self) -> Stopper {
        self.stopper.take().expect(OWNED)
    }
}

impl Deref for StopOnDrop {
    type Target = Stopper;

    fn deref(&self) -> &Stopper {
        self.stopper.as_ref().expect(OWNED)
    }
}

impl AsRef<Stopper> for StopOnDrop {
    fn as_ref(&self) -> &Stopper {
        self
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stopper) = &self.stopper {
            stopper.request_stop();
        }
    }
}
