//! The time-out of a futex wait, where the signal handler gets at it.
//!
//! futex(2) has no signal mask to wait with, so between opening the stop signal
//! and the sleep there is a moment in which the signal comes and ends nothing.
//! But the kernel reads the time-out only when the call begins. So the wait has
//! one always, the furthest if it needs none, and the handler *strikes*: it puts
//! a time there that has long passed.
//!
//! | the signal comes | and the wait |
//! |---|---|
//! | before the call begins | begins with a time that has passed: `ETIMEDOUT` |
//! | while it sleeps | ends: `EINTR`, because it has a time-out; never restarted, whatever `SA_RESTART` says |
//! | when it has been woken | says so: 0. Who is off the queue was woken, whatever else is pending |
//! | after a stop of the process (SIGSTOP), before `restart_syscall` | ends: the handler's return takes the restart back |
//!
//! A kernel that restarts the call all the same reads the time again. None of
//! this depends on where the program counter is.
//!
//! # Safety
//!
//! The invariant of this module: the time is touched by its own thread and by
//! the handler on top of it only; by the handler only while it is armed, and
//! then the thread itself leaves it alone.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};
use libc::timespec;

const IDLE: u32 = 0;
const ARMED: u32 = 1;
const STRUCK: u32 = 2;

pub(crate) struct Timeout {
    time: UnsafeCell<timespec>,
    state: AtomicU32,
}

// SAFETY: the module's invariant: other threads do not touch it.
unsafe impl Sync for Timeout {}
// SAFETY: numbers.
unsafe impl Send for Timeout {}

impl Timeout {
    pub(crate) const fn new() -> Timeout {
        // SAFETY: zeroed is a time.
        let time = unsafe { core::mem::zeroed() };
        Timeout { time: UnsafeCell::new(time), state: AtomicU32::new(IDLE) }
    }

    /// Before the stop signal is opened: a wait until this time begins, by the
    /// clock's reading. The address for the kernel.
    pub(crate) fn arm(&self, deadline: timespec) -> *const timespec {
        // SAFETY: the module's invariant: not armed yet. Volatile, as all that
        // happens behind the compiler's back.
        unsafe { self.time.get().write_volatile(deadline) };
        self.state.store(ARMED, Ordering::Release);
        self.time.get()
    }

    /// After it is blocked again: the wait is over. Whether the handler struck.
    pub(crate) fn disarm(&self) -> bool {
        self.state.swap(IDLE, Ordering::Acquire) == STRUCK
    }

    /// From the handler: the wait ends, or does not begin.
    pub(crate) fn strike(&self) {
        if self.state.load(Ordering::Acquire) == ARMED {
            let passed = timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: the module's invariant: armed, and on top of its thread.
            unsafe { self.time.get().write_volatile(passed) };
            self.state.store(STRUCK, Ordering::Release);
        }
    }
}
