//! Threads that come and go by stops.

use std::time::{Duration, Instant};
use stopruntime::thread;

/// How long a stress runs: `STOP_TESTS_SECONDS`, 1 by default; shorter where a
/// developer waits for it.
#[must_use]
pub fn seconds() -> Duration {
    let text = std::env::var("STOP_TESTS_SECONDS").unwrap_or_default();
    let slow = std::env::var_os(crate::PART).is_some();
    let usual = Duration::from_millis(if slow || crate::everything() { 1_000 } else { 250 });
    text.parse().map_or(usual, Duration::from_secs)
}

/// Threads that are stopped at random and started anew for [`seconds`]; how
/// often one was stopped.
///
/// # Panics
///
/// If a thread panics.
pub fn churn<T: Send + 'static>(
    workers: usize,
    work: impl Fn(usize) -> T + Send + Clone + 'static,
    mut done: impl FnMut(T),
) -> u64 {
    let start = |at| {
        let work = work.clone();
        thread::spawn(move || work(at))
    };
    let mut running: Vec<_> = (0..workers).map(start).collect();
    let end = Instant::now() + seconds();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut stops = 0;
    while Instant::now() < end {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = usize::try_from(random % workers as u64).unwrap();
        for _ in 0..random >> 52 {
            std::hint::spin_loop();
        }
        let stopped = std::mem::replace(&mut running[at], start(at));
        done(stopped.stop_and_join().unwrap());
        stops += 1;
    }
    for worker in running {
        done(worker.stop_and_join().unwrap());
    }
    stops
}
