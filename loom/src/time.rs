//! A clock that stands still until a test moves it.

use crate::atomic::AtomicU64;
use crate::futex;
use core::cell::RefCell;
use loom::sync::atomic::Ordering::Relaxed;

pub use core::time::Duration;

thread_local! {
    // loom's threads are all on the thread of their test.
    static CLOCK: RefCell<Option<AtomicU64>> = const { RefCell::new(None) };
}

pub(crate) fn start() {
    CLOCK.set(Some(AtomicU64::new(0)));
}

fn clock() -> AtomicU64 {
    CLOCK.with_borrow(|clock| clock.clone().expect("a model has started the clock"))
}

/// A time on the clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

#[allow(missing_docs)]
impl Instant {
    #[must_use]
    pub fn now() -> Instant {
        Instant(clock().touch())
    }

    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Instant> {
        let nanoseconds = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_add(nanoseconds).map(Instant)
    }

    #[must_use]
    pub fn saturating_duration_since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn is_past(self) -> bool {
        self <= Instant::now()
    }
}

/// Lets time pass.
///
/// # Panics
///
/// If that is more than the clock can show.
pub fn advance(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).expect("some nanoseconds");
    let before = clock().fetch_add(nanoseconds, Relaxed);
    futex::expire(Instant(before + nanoseconds));
}
