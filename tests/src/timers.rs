//! Signals at a high rate to one thread. `timer_create(2)`.
//!
//! # Safety
//!
//! The invariant of this module: a timer is deleted by its owner alone.

use crate::signals::{Handler, catch};
use core::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many signals of all storms were delivered to a handler of the test's.
pub static BLOWS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    BLOWS.fetch_add(1, Ordering::Relaxed);
}

/// Counts this signal in [`BLOWS`] from now on; `flags` of sigaction(2).
pub fn count_blows(signal: i32, flags: i32) {
    catch(signal, count as Handler, flags, &[]);
}

/// Sends a signal to one thread, ten thousand times a second, for as long as
/// it lives: by two timers whose periods differ a little, so that signals come
/// at every distance from the one before.
#[allow(dead_code, reason = "they end with it")]
pub struct Storm([Timer; 2]);

impl Storm {
    /// Begins.
    pub fn on(thread: i32, signal: i32) -> Storm {
        Storm([200_000, 200_300].map(|nanoseconds| Timer::start(thread, signal, nanoseconds)))
    }
}

struct Timer(libc::timer_t);

impl Timer {
    fn start(thread: i32, signal: i32, nanoseconds: libc::c_long) -> Timer {
        let period = libc::timespec { tv_sec: 0, tv_nsec: nanoseconds };
        // SAFETY: plain structures, filled in as timer_create(2) says; the
        // timer is deleted by Drop.
        unsafe {
            let mut event: libc::sigevent = core::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = signal;
            event.sigev_notify_thread_id = thread;
            let mut id: libc::timer_t = core::mem::zeroed();
            assert_eq!(
                libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id),
                0,
                "timer_create: {}",
                std::io::Error::last_os_error()
            );
            let timer = Timer(id);
            let spec = libc::itimerspec { it_interval: period, it_value: period };
            assert_eq!(libc::timer_settime(timer.0, 0, &raw const spec, null_mut()), 0);
            timer
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer made by `start`.
        unsafe { libc::timer_delete(self.0) };
    }
}
