//! Why something is stopped.

use core::fmt;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Says why a marked call has stopped.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use stopruntime::{Cause, ext::sleep_or_stop, within};
///
/// let outcome = within(Duration::from_millis(1), || {
///     let stopped = sleep_or_stop(Duration::MAX).unwrap_err();
///     assert_eq!(stopped.cause(), Cause::Deadline);
///     Err::<(), std::io::Error>(stopped.into())
/// });
/// assert_eq!(outcome.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A stop of a scope has been requested.
    Requested,
    /// The deadline of a scope has passed.
    Deadline,
}

/// Says why a stop was requested: `service.request_stop_because("reload")`.
///
/// It is a text for people and logs. A text that is not a literal is kept once for as long
/// as the program runs, so let it name a kind of reason, and not one request.
///
/// # Examples
///
/// ```
/// use stopruntime::{Reason, Stopper, check};
///
/// let job = Stopper::new();
/// job.request_stop_because("reload");
/// let stopped = job.run(check).unwrap_err();
/// assert_eq!(stopped.reason(), Some(Reason::from("reload")));
/// assert!(stopped.reason().is_some_and(|reason| reason == "reload"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason(&'static str);

impl Reason {
    /// Returns the text.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl From<&'static str> for Reason {
    /// Async-signal-safe: nothing is copied.
    fn from(text: &'static str) -> Reason {
        Reason(text)
    }
}

impl From<String> for Reason {
    /// Keeps the text for as long as the program runs.
    fn from(text: String) -> Reason {
        static KEPT: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_default();
        Reason(kept.get(text.as_str()).copied().unwrap_or_else(|| {
            let text: &'static str = text.leak();
            kept.insert(text);
            text
        }))
    }
}

impl AsRef<str> for Reason {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl PartialEq<str> for Reason {
    fn eq(&self, text: &str) -> bool {
        self.0 == text
    }
}

impl PartialEq<&str> for Reason {
    fn eq(&self, text: &&str) -> bool {
        self.0 == *text
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
