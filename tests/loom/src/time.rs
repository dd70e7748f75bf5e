//! A clock that stands still until a test lets time pass.

use crate::atomic::AtomicU64;
use crate::futex;
use core::cell::RefCell;
use loom::sync::atomic::Ordering::Relaxed;

pub use core::time::Duration;

/// Later than any deadline that is made while the clock stands.
const RUNNING: u64 = 1 << 62;

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
        Instant(clock().touch(Relaxed))
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

    /// Whether a wait until then is over at once: the clock has started to run,
    /// and is moved to that time.
    pub(crate) fn is_reached(self) -> bool {
        let running = Instant::now().0 >= RUNNING;
        if running {
            clock().fetch_max(self.0, Relaxed);
        }
        running
    }
}

/// Lets the clock run: every wait with a deadline is over, now and from now on.
pub fn pass() {
    clock().fetch_max(RUNNING, Relaxed);
    futex::expire();
}
