//! The way that needs registers alone: while the thread is to stop, a timer sends it the
//! stop signal again and again, and where that finds it in front of a system call, or
//! behind one that was interrupted, the call is given its result.
//!
//! It sees only calls that wait. Nothing is armed before a stop.
//!
//! # Safety
//!
//! The invariant of this module: a record is the calling thread's own.

#![allow(unsafe_code)]

use super::at_once;
#[cfg(target_arch = "x86_64")]
use super::kernel::CANCELED;
use super::kernel::plain;
use super::readiness;
#[cfg(target_arch = "x86_64")]
use super::refusal;
use super::refusal::refusal;
use super::registers::{self, Behind};
use super::table::decide;
use super::verdict::{Call, Verdict};
use crate::runtime::installed;
use crate::runtime::record::Record;
use crate::runtime::region::{NO_TIMER, Region, TICK, UNARMED};
use crate::runtime::signal;
use crate::window::{Context, Place, find, program_counter, set_program_counter};
use core::ffi::{c_int, c_long};
use core::sync::atomic::Ordering::Relaxed;

const FIRST: u32 = 50_000;
const LAST: u32 = 20_000_000;
const INTERRUPTED: isize = -(libc::EINTR as isize);

/// Whether a signal with this value is a tick of this thread's.
pub(crate) fn is_tick(record: &Record, value: libc::sigval) -> bool {
    value.sival_ptr.cast_const() == core::ptr::from_ref(&record.region).cast()
}

/// Looks where the thread is, and has the next tick come.
///
/// # Safety
///
/// `context` is the one of the signal handler that calls.
pub(super) unsafe fn strike(record: &Record, context: &mut Context) {
    let region = &record.region;
    // SAFETY: the caller's promise.
    unsafe { end_call(record, context) };
    if region.way.load(Relaxed) == TICK {
        next(region);
    } else {
        start(record);
    }
}

/// # Safety
///
/// As [`strike`].
unsafe fn end_call(record: &Record, context: &mut Context) {
    let region = &record.region;
    // SAFETY: the caller's context.
    let pc = unsafe { program_counter(context) };
    // SAFETY: this thread's own.
    if !matches!(unsafe { find(&record.line, pc) }, Place::Outside) {
        // A marked call of a callback stops by itself.
        return;
    }
    let here = [pc, registers::stack(context)];
    let again = [0, 1].map(|at| region.found[at].load(Relaxed)) == here;
    // SAFETY: the thread executes there.
    if let Some(number) = unsafe { registers::about_to_call(context, pc) } {
        let args = registers::arguments(context);
        let call = Call { region, number, args, sees_all: false };
        match decide(&call) {
            Verdict::Give(result) => skip(context, pc, result),
            // mutant: ioctl-found-waiting-twice-is-ended
            Verdict::RunForNow if again => skip(context, pc, refusal(region, number, &args)),
            Verdict::RunWith(third) => registers::set_argument(context, 2, third),
            Verdict::Run | Verdict::RunForNow => {}
        }
    } else if registers::result(context) == INTERRUPTED {
        let args = registers::arguments(context);
        // SAFETY: as above.
        let result = match unsafe { registers::has_called(context, pc) } {
            // It is made anew, in the handler, where no signal meets it.
            // mutant: interrupted-select-of-no-time-is-made-again
            Behind::Call(number) if readiness::is_at_once(number, &args) => {
                match decide(&Call { region, number, args, sees_all: false }) {
                    Verdict::Give(result) => Some(result),
                    _ => None,
                }
            }
            Behind::Call(number) => after_interruption(region, number, &args, again),
            #[cfg(target_arch = "x86_64")]
            Behind::Unknown => after_unknown(region, &args, again),
            Behind::Nothing => None,
        };
        if let Some(result) = result {
            registers::set_result(context, result);
        }
    }
    for (word, value) in region.found.iter().zip(here) {
        word.store(value, Relaxed);
    }
}

fn skip(context: &mut Context, pc: usize, result: isize) {
    registers::set_result(context, result);
    // SAFETY: behind the instruction, as if it had been made.
    unsafe { set_program_counter(context, pc + registers::LENGTH) };
}

/// What a call that a signal has ended says in the place of `EINTR`, of those that are
/// never restarted.
fn after_interruption(
    region: &Region,
    number: c_long,
    args: &[usize; 6],
    again: bool,
) -> Option<isize> {
    const SLEEPS: [c_long; 2] = [libc::SYS_nanosleep, libc::SYS_clock_nanosleep];
    const LEFT: [c_long; 4] =
        [libc::SYS_futex, libc::SYS_futex_waitv, libc::SYS_epoll_pwait, libc::SYS_rt_sigsuspend];
    // mutant: interrupted-sleep-is-no-error
    if SLEEPS.contains(&number) {
        return Some(0);
    }
    // mutant: futexes-are-left-alone
    if LEFT.contains(&number) || is_older_epoll(number) {
        return None;
    }
    // mutant: interrupted-call-of-no-time-is-over
    if let Some(result) = at_once::interrupted(number, args) {
        return Some(result);
    }
    // mutant: interrupted-poll-of-eventfds-says-so
    if readiness::is_one(number) {
        return readiness::interrupted(number, args);
    }
    // mutant: interrupted-call-of-socket-is-reset
    again.then(|| refusal(region, number, args))
}

/// The same of one whose number is guessed: an error of a poll not at once.
#[cfg(target_arch = "x86_64")]
fn after_unknown(region: &Region, args: &[usize; 6], again: bool) -> Option<isize> {
    let result = match super::guess::number(args) {
        Some(number) => after_interruption(region, number, args, again),
        None => again.then(|| refusal::of_unknown(region, args)),
    };
    result.filter(|result| again || *result != CANCELED)
}

fn is_older_epoll(number: c_long) -> bool {
    #[cfg(target_arch = "x86_64")]
    if number == libc::SYS_epoll_wait || number == libc::SYS_pause {
        return true;
    }
    number == libc::SYS_epoll_pwait2
}

/// Nothing is to stop any more.
pub(super) fn rest(record: &Record) {
    let region = &record.region;
    region.interval.store(0, Relaxed);
    if region.way.load(Relaxed) == TICK {
        region.way.store(UNARMED, Relaxed);
    }
}

/// The first tick is to come. Async-signal-safe.
pub(super) fn start(record: &Record) {
    let region = &record.region;
    region.way.store(TICK, Relaxed);
    region.naps.store(0, Relaxed);
    region.sent.store(0, Relaxed);
    begin(region);
}

/// Has a tick come soon.
pub(super) fn begin(region: &Region) {
    region.touched.store(true, Relaxed);
    if region.timer.load(Relaxed) == NO_TIMER {
        make(region);
    }
    region.interval.store(FIRST, Relaxed);
    set(region, FIRST);
}

/// Has the next one come, later than the last.
pub(super) fn next(region: &Region) {
    let interval = region.interval.load(Relaxed).max(FIRST);
    let interval = (interval + interval / 2).min(LAST);
    region.interval.store(interval, Relaxed);
    set(region, interval);
}

/// No tick is to come for now.
#[cfg(target_arch = "x86_64")]
pub(super) fn pause(region: &Region) {
    set(region, 0);
}

/// `timer_create(2)` as it is: libc's may take a lock.
fn make(region: &Region) {
    // SAFETY: zeroed is a sigevent.
    let mut event: libc::sigevent = unsafe { core::mem::zeroed() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_signo = installed::signal();
    event.sigev_value = libc::sigval { sival_ptr: core::ptr::from_ref(region).cast_mut().cast() };
    event.sigev_notify_thread_id = signal::thread_id();
    let mut timer: c_int = NO_TIMER;
    let (event, place) = (&raw const event as usize, &raw mut timer as usize);
    let clock = libc::CLOCK_MONOTONIC as usize;
    // SAFETY: two places, which outlive the call.
    if unsafe { plain(libc::SYS_timer_create, [clock, event, place]) } == 0 {
        region.timer.store(timer, Relaxed);
    }
}

fn set(region: &Region, nanoseconds: u32) {
    let timer = region.timer.load(Relaxed);
    if timer == NO_TIMER {
        return;
    }
    let time = [0_i64, 0, 0, i64::from(nanoseconds)];
    let place = &raw const time as usize;
    // SAFETY: a `struct itimerspec`, which outlives the call.
    unsafe { plain(libc::SYS_timer_settime, [timer as usize, 0, place, 0]) };
}

/// Takes the timer away, and a tick that it has sent: the kernel delivers it on the way
/// out of this system call.
pub(super) fn stop(record: &Record) {
    let region = &record.region;
    let timer = region.timer.swap(NO_TIMER, Relaxed);
    if timer != NO_TIMER && !record.is_of_another_process() {
        // SAFETY: a timer of ours.
        // mutant: left-region-has-no-timer
        unsafe { plain(libc::SYS_timer_delete, [timer as usize]) };
    }
    region.interval.store(0, Relaxed);
}

/// In a forked child, which has no timers.
pub(super) fn forget(record: &Record) {
    record.region.timer.store(NO_TIMER, Relaxed);
    record.region.interval.store(0, Relaxed);
}
