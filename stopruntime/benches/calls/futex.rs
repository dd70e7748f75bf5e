//! Rows of waits without a descriptor.

use crate::callback::Step;
use crate::floor::syscall;
use crate::measure::{Buffer, Row, Source};
use crate::table::pin;
use crate::ways::Way;
use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use stopruntime::sys;

const WAIT: c_int = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
const WAKE: c_int = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;

/// `FUTEX_WAIT` without a time-out. futex(2).
#[inline(always)]
fn wait_args(word: &AtomicU32, value: u32) -> [usize; 4] {
    [word.as_ptr() as usize, WAIT as usize, value as usize, 0]
}

#[inline(always)]
fn wait_bare(word: &AtomicU32, value: u32) -> isize {
    // SAFETY: the word outlives the call.
    unsafe { syscall(libc::SYS_futex, wait_args(word, value)) }
}

#[inline(always)]
fn wait_libc(word: &AtomicU32, value: u32) -> c_long {
    let no_time = core::ptr::null::<libc::timespec>();
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), WAIT, value, no_time) }
}

#[inline(always)]
fn wait_or_stop(word: &AtomicU32, value: u32) -> c_long {
    let (no_time, no_word) = (core::ptr::null(), core::ptr::null_mut());
    // SAFETY: as above.
    let result = unsafe { sys::futex_or_stop(word.as_ptr(), WAIT, value, no_time, no_word, 0) };
    result.unwrap()
}

fn wake(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), WAKE, 1) };
}

/// A wait that need not be: the word has changed before.
pub(crate) struct Changed(AtomicU32);

impl Changed {
    pub(crate) fn new() -> Changed {
        Changed(AtomicU32::new(1))
    }
}

impl Row for Changed {
    const TURNS: u32 = 500;

    fn name(&self) -> String {
        "futex wait, word changed".into()
    }

    fn source(&self) -> Source {
        Source::None
    }

    #[inline(always)]
    fn floor(&self, _: &mut Buffer) {
        assert_eq!(wait_bare(&self.0, 0), -(libc::EAGAIN as isize));
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, _: &mut Buffer) {
        assert_eq!(way.around(-1, 0, || wait_libc(&self.0, 0)), -1);
    }

    #[inline(always)]
    fn ours(&self, _: &mut Buffer) {
        assert_eq!(wait_or_stop(&self.0, 0), -1);
    }

    fn steps(&self, _: &mut Buffer) -> Vec<Step> {
        vec![Step::new(libc::SYS_futex, wait_args(&self.0, 0))]
    }

    fn gave(&self, results: &[c_long]) {
        assert!(results.iter().all(|result| *result == -1));
    }
}

/// Two threads on one processor that wake each other; the other one is the same
/// in all columns.
pub(crate) struct PingPong {
    words: Arc<Words>,
    other: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Words {
    ping: AtomicU32,
    pong: AtomicU32,
}

const TURN: u32 = 1;
const END: u32 = 2;

impl PingPong {
    /// Moves the calling thread to the processor it is on, and the other one
    /// with it.
    pub(crate) fn new() -> PingPong {
        // SAFETY: no arguments.
        pin(usize::try_from(unsafe { libc::sched_getcpu() }).unwrap());
        let words = Arc::new(Words::default());
        let theirs = Arc::clone(&words);
        let other = thread::spawn(move || {
            loop {
                match theirs.ping.swap(0, Ordering::Acquire) {
                    END => break,
                    TURN => {
                        theirs.pong.store(TURN, Ordering::Release);
                        wake(&theirs.pong);
                    }
                    _ => drop(wait_libc(&theirs.ping, 0)),
                }
            }
        });
        PingPong { words, other: Some(other) }
    }

    #[inline(always)]
    fn turn(&self, mut wait: impl FnMut(&AtomicU32)) {
        self.words.ping.store(TURN, Ordering::Release);
        wake(&self.words.ping);
        while self.words.pong.swap(0, Ordering::Acquire) == 0 {
            wait(&self.words.pong);
        }
    }
}

impl Drop for PingPong {
    fn drop(&mut self) {
        self.words.ping.store(END, Ordering::Release);
        wake(&self.words.ping);
        self.other.take().map(JoinHandle::join).transpose().unwrap();
    }
}

impl Row for PingPong {
    const TURNS: u32 = 50;

    fn name(&self) -> String {
        "futex, two threads in turn".into()
    }

    fn source(&self) -> Source {
        Source::None
    }

    #[inline(always)]
    fn floor(&self, _: &mut Buffer) {
        self.turn(|word| _ = wait_bare(word, 0));
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, _: &mut Buffer) {
        self.turn(|word| _ = way.around(-1, 0, || wait_libc(word, 0)));
    }

    #[inline(always)]
    fn ours(&self, _: &mut Buffer) {
        self.turn(|word| _ = wait_or_stop(word, 0));
    }

    fn steps(&self, _: &mut Buffer) -> Vec<Step> {
        Vec::new()
    }
}

/// A sleep until a time that is over, which asks no clock.
pub(crate) struct SleepUntilPast;

static PAST: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

#[inline(always)]
fn sleep_args() -> [usize; 4] {
    let (clock, flags) = (libc::CLOCK_MONOTONIC as usize, libc::TIMER_ABSTIME as usize);
    [clock, flags, &raw const PAST as usize, 0]
}

impl Row for SleepUntilPast {
    const TURNS: u32 = 100;

    fn name(&self) -> String {
        "sleep of 0".into()
    }

    fn source(&self) -> Source {
        Source::None
    }

    #[inline(always)]
    fn floor(&self, _: &mut Buffer) {
        // SAFETY: a time that lasts; none is written.
        assert_eq!(unsafe { syscall(libc::SYS_clock_nanosleep, sleep_args()) }, 0);
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, _: &mut Buffer) {
        let (clock, flags) = (libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME);
        let none = core::ptr::null_mut();
        // SAFETY: as above.
        let sleep = || unsafe { libc::clock_nanosleep(clock, flags, &raw const PAST, none) };
        assert_eq!(way.around(-1, 0, sleep), 0);
    }

    #[inline(always)]
    fn ours(&self, _: &mut Buffer) {
        let (clock, flags) = (libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME);
        let none = core::ptr::null_mut();
        // SAFETY: as above.
        let slept = unsafe { sys::clock_nanosleep_or_stop(clock, flags, &raw const PAST, none) };
        assert_eq!(slept, Ok(0));
    }

    fn steps(&self, _: &mut Buffer) -> Vec<Step> {
        vec![Step::new(libc::SYS_clock_nanosleep, sleep_args())]
    }
}
