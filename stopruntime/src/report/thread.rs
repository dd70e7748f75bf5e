//! A report on one thread.

use super::activity::Activity;
use super::obstacle::Obstacle;
use crate::runtime::scopes::reason::{Cause, Reason};
use core::ffi::c_int;
use core::time::Duration;

/// Says what a thread does, and what keeps it from stopping.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::report::{Activity, Obstacle};
/// use stopruntime::thread;
///
/// let (sender, receiver) = std::sync::mpsc::channel::<()>();
/// let waits = thread::spawn(move || receiver.recv().is_err()); // not marked
/// waits.request_stop_because("reload");
/// # while !matches!(waits.report().activity, Activity::Waits(_)) { thread::yield_now() }
/// let report = waits.report();
/// assert_eq!(report.request.as_ref().unwrap().reason.unwrap().as_str(), "reload");
/// assert_eq!(report.obstacles, [Obstacle::NotMarked]);
/// eprintln!("{report}");
/// drop(sender);
/// assert!(waits.join().unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ThreadReport {
    /// Its name: of a handle's thread as std has it, of others the first 15 bytes.
    pub name: String,
    /// Its id in the kernel (gettid(2)); none before it begins and after its end.
    pub id: Option<c_int>,
    /// What it does.
    pub activity: Activity,
    /// The stop that it is to obey, if there is one.
    pub request: Option<Request>,
    /// What keeps it from stopping, or would if it were requested; nothing if it stops soon.
    pub obstacles: Vec<Obstacle>,
}

/// Says why a thread is to stop, and since when.
///
/// # Examples
///
/// As at [`ThreadReport`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request {
    /// Whether a stop was requested or a deadline has passed.
    pub cause: Cause,
    /// What the requester has said.
    pub reason: Option<Reason>,
    /// How long ago, to about 20 ms; none if it was before the thread had its scope.
    pub age: Option<Duration>,
}
