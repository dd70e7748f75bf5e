//! The proof that the kernel aborts windows.
//!
//! # Safety
//!
//! The invariant of this module: the timer is its own, and is deleted before the
//! probe ends.

#![allow(unsafe_code)]

use crate::runtime::backend::Rseq;
use crate::runtime::installed;
use crate::runtime::signal;
use crate::window;

/// One real abort: a timer interrupts a spinning critical section. A version
/// number would not do: some kernels accept the registration and never abort.
pub(super) fn rseq_aborts() -> Rseq {
    // Far more than the timer needs, on a machine that is not stalled: about
    // 20 ms. Preemption aborts as well, and proves as much.
    const TURNS: usize = 1 << 26;
    if !window::rseq::code_is_readable() {
        return Rseq::CodeUnreadable;
    }
    window::rseq::ask_libc();
    let (field, owned) = match window::rseq::rseq_cs() {
        Ok(found) => found,
        Err(errno) => return Rseq::Refused(errno),
    };
    let mask = signal::set_mask(libc::SIG_UNBLOCK);
    let aborted = Timer::start().is_some_and(|_timer| {
        // SAFETY: this thread's registered field.
        unsafe { window::abort_probe(field, TURNS) }
    });
    signal::restore_mask(&mask);
    // mutant: probe-area-taken-back
    if owned {
        window::rseq::unregister();
    }
    match (aborted, owned) {
        (false, _) => Rseq::NeverAborts,
        (true, false) => Rseq::Libc,
        (true, true) => Rseq::Own,
    }
}

/// A timer that sends the stop signal to the calling thread, which our handler
/// knows by its value and drops. `timer_create(2)`.
struct Timer(libc::timer_t);

impl Timer {
    fn start() -> Option<Timer> {
        // SAFETY: plain structures, filled in as `timer_create(2)` says; the
        // timer is deleted by Drop.
        unsafe {
            let mut event: libc::sigevent = core::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = installed::signal();
            event.sigev_notify_thread_id = signal::thread_id();
            event.sigev_value = installed::probe_value();
            let mut id: libc::timer_t = core::mem::zeroed();
            if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id) != 0 {
                return None;
            }
            let timer = Timer(id);
            let soon = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
            // Again and again, because the first expiry may come before the
            // critical section begins; not so fast that a traced program
            // would do nothing else.
            let again = libc::timespec { tv_sec: 0, tv_nsec: 2_000_000 };
            let spec = libc::itimerspec { it_interval: again, it_value: soon };
            let set = libc::timer_settime(timer.0, 0, &raw const spec, core::ptr::null_mut());
            (set == 0).then_some(timer)
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer made by `start`.
        unsafe { libc::timer_delete(self.0) };
    }
}
