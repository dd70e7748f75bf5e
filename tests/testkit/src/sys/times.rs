//! Sleeping.

use super::{Arranged, Case, arranged, case};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use stopruntime::{Stopped, sys};

/// A sleep without end; fed, it is for a moment.
fn sleeping(call: fn(libc::timespec) -> Result<i64, Stopped>) -> Arranged {
    let fed = Arc::new(AtomicBool::new(false));
    let short = Arc::clone(&fed);
    arranged(
        move || {
            let moment = libc::timespec { tv_sec: 0, tv_nsec: 1_000 };
            let long = libc::timespec { tv_sec: 4_000, tv_nsec: 0 };
            call(if short.load(Ordering::SeqCst) { moment } else { long })
        },
        move || fed.store(true, Ordering::SeqCst),
    )
}

fn microseconds(time: libc::timespec) -> u32 {
    let whole = u32::try_from(time.tv_sec).unwrap();
    whole * 1_000_000 + u32::try_from(time.tv_nsec).unwrap() / 1_000
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("nanosleep", || {
            sleeping(made!(|time| {
                sys::nanosleep_or_stop(&raw const time, null_mut()).map(i64::from)
            }))
        })
        .stands_for(&["thrd_sleep"]),
        case("clock_nanosleep", || {
            sleeping(made!(|time| {
                let (clock, time) = (libc::CLOCK_BOOTTIME, &raw const time);
                sys::clock_nanosleep_or_stop(clock, 0, time, null_mut()).map(i64::from)
            }))
        }),
        case("sleep", || {
            sleeping(made!(|time| sys::sleep_or_stop(time.tv_sec as u32).map(i64::from)))
        }),
        case("usleep", || {
            sleeping(made!(|time| sys::usleep_or_stop(microseconds(time)).map(i64::from)))
        }),
    ]
}
