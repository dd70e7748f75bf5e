//! Sleeping. Nothing ends a sleep from outside: the feed sets the length of one
//! that has not begun.

use super::ends::Shared;
use super::{AN_HOUR, Case, Fixture, Outcome};
use libc::SYS_clock_nanosleep;
use std::time::{Duration, Instant};
use stopruntime::Stopped;
use stopruntime::ext::{sleep_or_stop, sleep_until_or_stop};

pub(super) const CASES: &[Case] = &[
    Case::new("thread::sleep", &[SYS_clock_nanosleep], || Ok(sleeping(sleep_or_stop))).not_woken(),
    Case::new("thread::sleep_until", &[SYS_clock_nanosleep], || {
        Ok(sleeping(|duration| sleep_until_or_stop(Instant::now() + duration)))
    })
    .not_woken(),
];

const SHORT: Duration = Duration::from_millis(1);

fn sleeping(call: fn(Duration) -> Result<(), Stopped>) -> Fixture {
    let duration = Shared::new(AN_HOUR);
    let (fed, plain) = (duration.clone(), duration.clone());
    Fixture {
        marked: Box::new(move || {
            let (duration, start) = (*duration.lock(), Instant::now());
            Outcome::of(call(duration).map(Ok), |()| Ok(slept(start, duration)))
        }),
        feed: Box::new(move || {
            *fed.lock() = SHORT;
            Ok("slept".into())
        }),
        plain: Box::new(move |_| {
            let (duration, start) = (*plain.lock(), Instant::now());
            std::thread::sleep(duration);
            Ok(slept(start, duration))
        }),
        verify: Box::new(|_| Ok(())),
        keep: Box::new(()),
    }
}

fn slept(start: Instant, duration: Duration) -> String {
    let so_long = start.elapsed() >= duration;
    if so_long { "slept".into() } else { "woke too early".into() }
}
