//! Sleeping. Nothing ends a sleep from outside: the feed sets the length of one
//! that has not begun.

use super::ends::Shared;
use super::{AN_HOUR, Case, Fixture, Outcome};
use libc::SYS_futex;
use std::thread;
use std::time::{Duration, Instant};
use stopruntime::Stopped;
use stopruntime::ext::{park_or_stop, park_timeout_or_stop, sleep_or_stop, sleep_until_or_stop};

pub(super) const CASES: &[Case] = &[
    Case::new("thread::sleep", &[SYS_futex], || Ok(sleeping(sleep_or_stop))).not_woken(),
    Case::new("thread::sleep_until", &[SYS_futex], || {
        Ok(sleeping(|duration| sleep_until_or_stop(Instant::now() + duration)))
    })
    .not_woken(),
    Case::new("thread::park_timeout", &[SYS_futex], || Ok(sleeping(park_timeout_or_stop)))
        .not_woken(),
    Case::new("thread::park", &[SYS_futex], || Ok(parking())),
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

/// `park` ends by a token, which the feed gives to the thread that parks.
fn parking() -> Fixture {
    let (who, fed) = (Shared::new(None), Shared::new(false));
    let (parker, given, mine) = (who.clone(), fed.clone(), fed.clone());
    let plain_fed = fed.clone();
    Fixture {
        marked: Box::new(move || {
            *parker.lock() = Some(thread::current());
            if *mine.lock() {
                thread::current().unpark();
            }
            Outcome::of(park_or_stop().map(Ok), |()| Ok("unparked".into()))
        }),
        feed: Box::new(move || {
            *given.lock() = true;
            if let Some(parked) = &*who.lock() {
                parked.unpark();
            }
            Ok("unparked".into())
        }),
        plain: Box::new(move |_| {
            if *plain_fed.lock() {
                thread::current().unpark();
            }
            thread::park();
            Ok("unparked".into())
        }),
        verify: Box::new(|_| Ok(())),
        keep: Box::new(()),
    }
}
