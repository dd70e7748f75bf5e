//! The argument of a wait that the signal handler spoils.
//!
//! Most system calls have no signal mask to wait with, so between unblocking the
//! stop signal and the sleep there is a moment in which the signal comes and ends
//! nothing. But what a call is told through a pointer (a time, a path, a vector)
//! the kernel reads when the call begins, and again whenever it restarts it. So
//! [`Backend::Ppoll`](crate::Backend::Ppoll) keeps such an argument in memory of
//! its own, and the handler *spoils* it: it fills some bytes with what the kernel
//! refuses.
//!
//! | the signal comes | and the call |
//! |---|---|
//! | before it begins | begins with an argument that is refused |
//! | while it waits | ends with `EINTR`, or is restarted, with an argument that is refused |
//! | when it has had its effect | says so: the kernel has read its arguments before |
//! | after a stop of the process (SIGSTOP), before `restart_syscall` | ends: the handler's return takes the restart back |
//!
//! None of this depends on where the program counter is.
//!
//! # Safety
//!
//! The invariant of this module: an argument is armed and disarmed by its own
//! thread, and outlives the time between; the handler on top of that thread
//! writes to it only while it is armed, and then nothing else except the kernel
//! reads it. A handler that leaves a call by `siglongjmp` leaves an argument armed
//! that is no more; the mask that it restores has the stop signal blocked, and
//! whatever unblocks it disarms first (`ppoll::inside`, `Record::settle`).

#![allow(unsafe_code)]

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

const IDLE: u32 = 0;
const ARMED: u32 = 1;
const SPOILED: u32 = 2;

/// The bytes of an argument, and what to fill them with.
#[derive(Clone, Copy)]
pub(crate) struct Bytes {
    pub(crate) place: *mut u8,
    pub(crate) length: usize,
    pub(crate) with: u8,
}

pub(crate) struct Argument {
    place: AtomicPtr<u8>,
    length: AtomicUsize,
    with: AtomicU32,
    state: AtomicU32,
}

impl Argument {
    pub(crate) const fn new() -> Argument {
        Argument {
            place: AtomicPtr::new(core::ptr::null_mut()),
            length: AtomicUsize::new(0),
            with: AtomicU32::new(0),
            state: AtomicU32::new(IDLE),
        }
    }

    /// Before the stop signal is unblocked: from now on the handler may spoil
    /// these bytes.
    ///
    /// # Safety
    ///
    /// They are writable, and nothing reads or writes them until
    /// [`disarm`](Argument::disarm), the kernel in a system call of this thread
    /// excepted.
    pub(crate) unsafe fn arm(&self, bytes: Bytes) {
        self.place.store(bytes.place, Ordering::Relaxed);
        self.length.store(bytes.length, Ordering::Relaxed);
        self.with.store(bytes.with.into(), Ordering::Relaxed);
        self.state.store(ARMED, Ordering::Release);
    }

    /// After it is blocked again: the wait is over. Whether the bytes are spoiled.
    pub(crate) fn disarm(&self) -> bool {
        self.state.swap(IDLE, Ordering::Acquire) == SPOILED
    }

    /// From the handler: the call ends, or does not begin.
    pub(crate) fn spoil(&self) {
        if self.state.load(Ordering::Acquire) == ARMED {
            let place = self.place.load(Ordering::Relaxed);
            let with = self.with.load(Ordering::Relaxed) as u8;
            for at in 0..self.length.load(Ordering::Relaxed) {
                // SAFETY: the module's invariant: armed, and on top of its thread.
                // Volatile, as all that happens behind the compiler's back.
                unsafe { place.add(at).write_volatile(with) };
            }
            self.state.store(SPOILED, Ordering::Release);
        }
    }
}
