//! Calls that say themselves that they do not wait: they say what they say outside.

mod transfers;
mod waits;

use crate::both_ways;
use crate::kit::{CANCELED, armed, is_dispatch};
use std::time::{Duration, Instant};

static NO_TIME: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

/// Tries one that runs in both ways.
fn runs(name: &str, call: impl Fn() -> Result<isize, i32>) {
    let outside = call();
    tries(name, &call, outside, outside);
}

/// Tries one that is ended where each call is handed over: by what may have been reported
/// as ready.
fn ends(name: &str, call: impl Fn() -> Result<isize, i32>) {
    let outside = call();
    tries(name, &call, outside, if is_dispatch() { Err(CANCELED) } else { outside });
}

fn tries(
    name: &str,
    call: &impl Fn() -> Result<isize, i32>,
    outside: Result<isize, i32>,
    expected: Result<isize, i32>,
) {
    const WHILE: Duration = Duration::from_millis(3);
    if let Err(error @ (libc::ENOSYS | libc::EBADF | libc::EINVAL | libc::EPERM)) = outside {
        return stop_tests::not_tested(name, error);
    }
    // A tick meets some of them, now and then twice at the same place.
    for _ in 0..if is_dispatch() { 1 } else { 8 } {
        armed(|| {
            let start = Instant::now();
            while {
                assert_eq!(call(), expected, "{name}");
                !is_dispatch() && start.elapsed() < WHILE
            } {}
        });
    }
}

/// Whether libc makes its calls in a way in which the timer cannot tell which it was.
fn hides_numbers() -> bool {
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    {
        // SAFETY: a text of libc's.
        let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
        let minor = version.to_str().unwrap().split('.').nth(1).unwrap();
        minor.parse::<u32>().unwrap() >= 41
    }
    #[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
    {
        cfg!(target_arch = "x86_64")
    }
}

both_ways! {
    fn readiness_of_a_pipe() {
        waits::readiness();
    }

    fn transfers_of_all_kinds() {
        transfers::sockets();
        transfers::pipes();
        transfers::files();
    }

    fn other_waits() {
        waits::children();
        waits::times();
        waits::queues();
    }
}
