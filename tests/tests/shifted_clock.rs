//! A library that is loaded before libc (libfaketime, say) shows the program
//! another time than the kernel's. A marked wait still lasts as long as it was
//! asked to: its deadline is computed from the clock that it waits by.
//!
//! Here the program itself defines `clock_gettime`, and so takes the place of
//! libc's as such a library does.

#![cfg(not(target_feature = "crt-static"))]

use core::ffi::c_int;
use libc::{clockid_t, timespec};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use stop_tests::{per_backend, timespec as time};
use stopruntime::ext::{sleep_or_stop, sleep_until_or_stop};
use stopruntime::sync::{Condvar, Mutex, Semaphore, mpsc};
use stopruntime::{sys, thread};

/// By how many seconds the program's clocks are ahead of the kernel's.
static AHEAD: AtomicI32 = AtomicI32::new(0);

/// In libc's place.
///
/// # Safety
///
/// As `clock_gettime(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    // SAFETY: the caller's place.
    unsafe {
        if libc::syscall(libc::SYS_clock_gettime, clock, time) != 0 {
            return -1;
        }
        (*time).tv_sec += libc::time_t::from(AHEAD.load(Ordering::Relaxed));
    }
    0
}

/// The kernel's monotonic clock.
fn kernel_time() -> Duration {
    let mut now = time(Duration::ZERO);
    // SAFETY: a valid place.
    let result =
        unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut now) };
    assert_eq!(result, 0);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

type Wait = (&'static str, fn(Duration));

/// Every kind of wait that ends by itself, except `park_timeout`: std makes that
/// one, with a deadline from the other clock.
const WAITS: [Wait; 11] = [
    ("sleep", |time| sleep_or_stop(time).unwrap()),
    ("sleep_until", |time| sleep_until_or_stop(Instant::now() + time).unwrap()),
    ("Condvar::wait_timeout_while", |time| {
        let lock = Mutex::new(());
        let guard = lock.lock().unwrap();
        let wait = Condvar::new().wait_timeout_while_or_stop(guard, time, |()| true);
        assert!(wait.unwrap().unwrap().1.timed_out());
    }),
    ("Receiver::recv_timeout", |time| {
        let (_sender, receiver) = mpsc::channel::<()>();
        assert!(receiver.recv_timeout_or_stop(time).unwrap().is_err());
    }),
    ("Semaphore::acquire_timeout", |time| {
        assert!(Semaphore::new(0).acquire_timeout_or_stop(time).unwrap().is_none());
    }),
    ("JoinHandle::join_timeout", |time| {
        let (sender, receiver) = channel::<()>();
        let other = thread::spawn(move || receiver.recv());
        assert!(other.join_timeout(time).is_err());
        drop(sender);
    }),
    ("sys::nanosleep", |duration| {
        let (request, rest) = (time(duration), core::ptr::null_mut());
        // SAFETY: a time; no rest is asked for.
        assert_eq!(unsafe { sys::nanosleep_or_stop(&raw const request, rest) }, Ok(0));
    }),
    ("sys::clock_nanosleep until a time", |duration| {
        let until = time(kernel_time() + duration);
        let (clock, flags) = (libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME);
        let rest = core::ptr::null_mut();
        // SAFETY: a time; no rest is asked for.
        let result = unsafe { sys::clock_nanosleep_or_stop(clock, flags, &raw const until, rest) };
        assert_eq!(result, Ok(0));
    }),
    ("sys::poll", |time| {
        let milliseconds = time.as_millis().try_into().unwrap();
        // SAFETY: no descriptors.
        let result = unsafe { sys::poll_or_stop(core::ptr::null_mut(), 0, milliseconds) };
        assert_eq!(result, Ok(0));
    }),
    ("sys::futex", |duration| {
        let (word, timeout) = (0_u32, time(duration));
        // SAFETY: the word and the time-out outlive the call.
        let result = unsafe {
            sys::futex_or_stop(
                (&raw const word).cast_mut(),
                libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                0,
                (&raw const timeout).cast(),
                core::ptr::null_mut(),
                0,
            )
        };
        assert_eq!(result, Ok(-1));
    }),
    ("sys::sigtimedwait", |duration| {
        let timeout = time(duration);
        // SAFETY: an empty set and a time-out that outlive the call.
        unsafe {
            let mut none: libc::sigset_t = core::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            let info = core::ptr::null_mut();
            let result = sys::sigtimedwait_or_stop(&raw const none, info, &raw const timeout);
            assert_eq!(result, Ok(-1));
        }
    }),
];

fn lasts_as_long(ahead: i32) {
    const TIME: Duration = Duration::from_millis(50);
    // The runtime is installed, and a thread registered, by the kernel's time.
    let _installed = stopruntime::backend();
    AHEAD.store(ahead, Ordering::Relaxed);
    for (name, wait) in WAITS {
        let start = kernel_time();
        wait(TIME);
        let lasted = kernel_time().saturating_sub(start);
        assert!(lasted >= TIME, "{name} lasts {lasted:?} of {TIME:?}, {ahead} seconds ahead");
    }
}

per_backend! {
    fn ahead() {
        lasts_as_long(3_600);
    }

    fn behind() {
        lasts_as_long(-3_600);
    }
}
