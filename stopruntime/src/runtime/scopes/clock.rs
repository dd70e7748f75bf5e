//! The one clock of deadlines: `CLOCK_MONOTONIC` in nanoseconds, for the threads
//! that look whether one has passed as for the helper that wakes them. A thread
//! whose clock was behind the helper's would be woken, find that it is not yet
//! time, and sleep on. `clock_gettime(2)`.

#![allow(unsafe_code)]

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// No deadline: later than every reading of the clock.
pub(crate) const NEVER: u64 = u64::MAX;

/// A deadline that others read, [`NEVER`] if there is none.
#[cfg(target_has_atomic = "64")]
pub(crate) type Deadline = core::sync::atomic::AtomicU64;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) use halves::Deadline;

/// The reading of the clock.
#[inline]
pub(crate) fn now() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

#[inline]
fn read(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a clock that every kernel has, and a place of our own.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// When this much time will have gone from now on; [`NEVER`] if that is further
/// than the clock reaches.
#[inline]
pub(crate) fn after(limit: Duration) -> u64 {
    nanoseconds(limit).map_or(NEVER, |limit| now().saturating_add(limit))
}

#[inline]
fn nanoseconds(duration: Duration) -> Option<u64> {
    duration.as_secs().checked_mul(1_000_000_000)?.checked_add(duration.subsec_nanos().into())
}

/// One moment on both scales. std does not tell the reading of an [`Instant`],
/// which is of the same clock.
fn anchor() -> (Instant, u64) {
    static ANCHOR: OnceLock<(Instant, u64)> = OnceLock::new();
    *ANCHOR.get_or_init(|| {
        let readings = (0..64).map(|_| {
            let before = now();
            let instant = Instant::now();
            // The later one, so that no deadline passes before its time.
            let after = now();
            (after - before, (instant, after))
        });
        readings.min_by_key(|(width, _)| *width).map(|(_, both)| both).expect("there are 64")
    })
}

/// An instant on the clock of deadlines: later by no more than two readings of the
/// clock take.
pub(crate) fn reading_of(instant: Instant) -> u64 {
    let (origin, reading) = anchor();
    match instant.checked_duration_since(origin) {
        Some(later) => nanoseconds(later).map_or(NEVER, |later| reading.saturating_add(later)),
        None => reading.saturating_sub(nanoseconds(origin - instant).unwrap_or(NEVER)),
    }
}

/// The instant of a deadline; none for [`NEVER`] and what an [`Instant`] cannot say.
pub(crate) fn instant_of(deadline: u64) -> Option<Instant> {
    if deadline == NEVER {
        return None;
    }
    let (origin, reading) = anchor();
    match deadline.checked_sub(reading) {
        Some(later) => origin.checked_add(Duration::from_nanos(later)),
        None => origin.checked_sub(Duration::from_nanos(reading - deadline)),
    }
}

/// A moment of the past to 17 ms, for people, in one word: 0 if there was none. It
/// comes round after 834 days.
pub(crate) struct Moment(AtomicU32);

/// Of a reading, the bits from here on.
const SHIFT: u32 = 24;

impl Moment {
    pub(crate) const fn new() -> Moment {
        Moment(AtomicU32::new(0))
    }

    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// It is now, unless it has been before. Async-signal-safe.
    pub(crate) fn begin(&self) {
        if self.0.load(Ordering::Relaxed) == 0 {
            let now = (read(libc::CLOCK_MONOTONIC_COARSE) >> SHIFT) as u32;
            let order = Ordering::Relaxed;
            let _ = self.0.compare_exchange(0, now.max(1), order, order);
        }
    }

    /// How long ago it was.
    pub(crate) fn age(&self) -> Option<Duration> {
        let then = self.0.load(Ordering::Relaxed);
        let age = ((now() >> SHIFT) as u32).wrapping_sub(then);
        (then != 0).then(|| Duration::from_nanos(u64::from(age) << SHIFT))
    }
}

/// The calling thread wakes up when it is to, and not up to 50 us later with others.
/// prctl(2).
pub(crate) fn wake_exactly() {
    // SAFETY: numbers.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
}

/// Where the processor has no atomic words of 64 bits. Not async-signal-safe:
/// there a signal handler must not open a scope with a deadline.
#[cfg(any(test, not(target_has_atomic = "64")))]
mod halves {
    use core::cell::UnsafeCell;
    use core::sync::atomic::{AtomicBool, Ordering};

    pub(crate) struct Deadline {
        taken: AtomicBool,
        value: UnsafeCell<u64>,
    }

    // SAFETY: the value is touched by the one that has taken it alone.
    unsafe impl Sync for Deadline {}

    impl Deadline {
        pub(crate) const fn new(value: u64) -> Deadline {
            Deadline { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }

        fn change(&self, change: impl FnOnce(u64) -> u64) -> u64 {
            while self.taken.swap(true, Ordering::SeqCst) {
                core::hint::spin_loop();
            }
            // SAFETY: taken.
            let before = unsafe { *self.value.get() };
            // SAFETY: as above.
            unsafe { *self.value.get() = change(before) };
            self.taken.store(false, Ordering::SeqCst);
            before
        }

        pub(crate) fn load(&self, _: Ordering) -> u64 {
            self.change(|value| value)
        }

        pub(crate) fn store(&self, value: u64, _: Ordering) {
            self.change(|_| value);
        }

        pub(crate) fn fetch_min(&self, value: u64, _: Ordering) -> u64 {
            self.change(|before| before.min(value))
        }

        pub(crate) fn compare_exchange(
            &self,
            from: u64,
            to: u64,
            _: Ordering,
            _: Ordering,
        ) -> Result<u64, u64> {
            let before = self.change(|before| if before == from { to } else { before });
            if before == from { Ok(before) } else { Err(before) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NEVER, after, halves, instant_of, now, reading_of};
    use core::sync::atomic::Ordering::SeqCst;
    use std::time::{Duration, Instant};

    #[test]
    fn without_words_of_64_bits_no_change_is_lost() {
        const BOTH_HALVES: u64 = 1 << 32 | 1;
        let deadline = halves::Deadline::new(NEVER);
        assert_eq!(deadline.fetch_min(7, SeqCst), NEVER);
        assert_eq!(deadline.fetch_min(9, SeqCst), 7);
        assert_eq!(deadline.compare_exchange(9, 1, SeqCst, SeqCst), Err(7));
        assert_eq!(deadline.compare_exchange(7, NEVER, SeqCst, SeqCst), Ok(7));
        // An exchange that two have made of the same value counts once.
        deadline.store(0, SeqCst);
        let counted = || {
            for _ in 0..100_000 {
                let mut found = deadline.load(SeqCst);
                while let Err(now) =
                    deadline.compare_exchange(found, found + BOTH_HALVES, SeqCst, SeqCst)
                {
                    found = now;
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(counted);
            counted();
        });
        assert_eq!(deadline.load(SeqCst), 200_000 * BOTH_HALVES);
    }

    #[test]
    fn instants_come_back_and_are_never_early() {
        for offset in [0, 1, 1_000_000_007, 1 << 45] {
            let instant = Instant::now() + Duration::from_nanos(offset);
            assert_eq!(instant_of(reading_of(instant)), Some(instant));
            assert!(reading_of(Instant::now() + Duration::from_nanos(offset)) >= now() - 1_000_000);
        }
        let (before, instant) = (now(), Instant::now());
        assert!(reading_of(instant) >= before, "not before its time");
        assert_eq!(instant_of(NEVER), None);
        assert_eq!(after(Duration::MAX), NEVER);
        let earlier = instant.checked_sub(Duration::from_millis(5)).expect("the machine is older");
        assert_eq!(instant_of(reading_of(earlier)), Some(earlier));
    }
}
