//! What was forgotten to mark: see [`audit`].

mod found;
mod names;
mod say;
mod watch;

pub use found::{Audit, Unmarked};
pub(crate) use watch::start;

use crate::runtime::process::{PerProcess, Place};
use found::Found;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the audit of a process has found.
#[derive(Default)]
struct Audited {
    found: Mutex<Found>,
    /// Tells that a place has been found.
    named: Condvar,
}

#[allow(unsafe_code, reason = "its place")]
// SAFETY: its only user.
static AUDITED: PerProcess<Audited> = unsafe { PerProcess::new(Place::Audit) };

fn found() -> MutexGuard<'static, Found> {
    AUDITED.get_or_make().found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of one more wait is known.
fn has_named() {
    found().unnamed -= 1;
    AUDITED.get_or_make().named.notify_all();
}

/// Waits until the places of all waits that were seen are known, for so long.
fn wait_for_names(limit: Duration) {
    let is_unnamed = |found: &mut Found| found.unnamed > 0;
    drop(AUDITED.get_or_make().named.wait_timeout_while(found(), limit, is_unnamed));
}

/// Returns what the audit of this process has found so far: where threads wait in calls
/// that a stop does not end, because they are not marked.
///
/// The audit is asked for by `STOPRUNTIME_AUDIT=1` in the environment of the program, or
/// by [`Config::audit`](crate::Config::audit). It begins with the runtime's installation. A
/// thread of the runtime's own then looks 40 times a second at the threads that the runtime
/// knows. A wait that is seen for more than 100 ms is reported on standard error, once for
/// each place, with the remedy. When the process ends, all places are listed, with how often
/// and how long threads waited there:
///
/// ```text
/// stopruntime audit: uploader (4712): waits in recvfrom (not marked) on descriptor 7 (TCP …), in
/// upload::send (src/upload.rs:42): mark it: #[blocking], or #[blocking(foreign)] around code …
/// stopruntime audit: where threads waited for more than 100 ms and were not marked:
/// stopruntime audit: recvfrom, in upload::send (src/upload.rs:42): 3 times, up to 12.3 s
/// ```
///
/// (The first line is broken here.) The place is known with the feature `backtrace`. Without
/// it, the call and the thread's name stand for the place.
///
/// Not reported are
///
/// - marked calls, and what waits in a region of foreign code ([`foreign`](crate::foreign()));
/// - what waits in a [`shield`](crate::shield()), which is not to be stopped;
/// - waits that have begun after the thread was requested to stop: they are its clean-up;
/// - waits that no signal ends (for a disk, usually), which a mark would not help;
/// - threads that the runtime does not know, as in [`threads`](super::threads), and its own.
///
/// A child made by fork(2) is not audited. A process that ends by `_exit(2)` or a signal has
/// no sum.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::report::audit;
/// use stopruntime::{Config, thread};
///
/// Config::new().audit(true).install()?;
/// let forgot = thread::spawn(|| std::thread::sleep(Duration::from_millis(400)));
/// forgot.join().unwrap();
/// eprintln!("{}", audit());
/// # Ok::<(), stopruntime::InstallError>(())
/// ```
#[must_use]
pub fn audit() -> Audit {
    found().audit()
}
