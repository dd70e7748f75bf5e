//! What a thread's record has for its region of foreign code.
//!
//! | word | values | written by |
//! |---|---|---|
//! | `open` | 1 in a region | the thread |
//! | `paused` | 1 while a marked call of a callback keeps the signal blocked | the thread |
//! | `way` | how its calls are watched now: see [`UNARMED`] | the thread, its handlers included |
//! | `selector` | read by the kernel at each system call: 1, it is handed to us | the same |
//! | `added` | signals blocked because their handlers block `SIGSYS` | the same |
//! | `hidden` | what of these and of `SIGSYS` the thread believes to be blocked | the same |
//! | the others | see each | the same |
//!
//! `open` takes the marker's place in the protocol of [`record`](crate::runtime::record):
//! it is set before the flag is looked at, and cleared before it is looked at again.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "not every architecture has both ways")
)]

use core::sync::atomic::Ordering::{Relaxed, SeqCst};
// Not every processor has one of 64 bits.
#[cfg(target_arch = "x86_64")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize};

/// Nothing is armed.
pub(crate) const UNARMED: u8 = 0;
/// The kernel hands over each system call.
pub(crate) const DISPATCH: u8 = 1;
/// A timer looks where the thread waits.
pub(crate) const TICK: u8 = 2;

/// No timer.
pub(crate) const NO_TIMER: i32 = -1;

pub(crate) struct Region {
    pub(crate) open: AtomicU32,
    pub(crate) paused: AtomicU32,
    /// The kernel hands calls over, there is a timer or another stack: leaving has to put something back.
    pub(crate) touched: AtomicBool,
    pub(crate) way: AtomicU8,
    pub(crate) selector: AtomicU8,
    /// Calls of sockets say `ECONNRESET`.
    pub(crate) resets: AtomicBool,
    /// The kernel looks at `selector`.
    pub(crate) dispatching: AtomicBool,
    /// Not in this region: it was refused, or would end the process.
    pub(crate) no_dispatch: AtomicBool,
    /// The thread has an alternate stack of ours.
    pub(crate) lent: AtomicBool,
    pub(crate) timer: AtomicI32,
    /// The nanoseconds to the next tick, 0 if none is to come.
    pub(crate) interval: AtomicU32,
    /// How many sleeps were cut short.
    pub(crate) naps: AtomicU32,
    /// How many bytes have been sent since the stop.
    pub(crate) sent: AtomicUsize,
    #[cfg(target_arch = "x86_64")]
    pub(crate) added: AtomicU64,
    #[cfg(target_arch = "x86_64")]
    pub(crate) hidden: AtomicU64,
    /// Where the last tick found the thread: program counter and stack.
    pub(crate) found: [AtomicUsize; 2],
    /// The top of the alternate stack of ours, once it has been made.
    pub(crate) room: AtomicPtr<u8>,
}

impl Region {
    pub(crate) const fn new() -> Region {
        Region {
            open: AtomicU32::new(0),
            paused: AtomicU32::new(0),
            touched: AtomicBool::new(false),
            way: AtomicU8::new(UNARMED),
            selector: AtomicU8::new(0),
            resets: AtomicBool::new(false),
            dispatching: AtomicBool::new(false),
            no_dispatch: AtomicBool::new(false),
            lent: AtomicBool::new(false),
            timer: AtomicI32::new(NO_TIMER),
            interval: AtomicU32::new(0),
            naps: AtomicU32::new(0),
            sent: AtomicUsize::new(0),
            #[cfg(target_arch = "x86_64")]
            added: AtomicU64::new(0),
            #[cfg(target_arch = "x86_64")]
            hidden: AtomicU64::new(0),
            found: [AtomicUsize::new(0), AtomicUsize::new(0)],
            room: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// Whether the thread is in a region.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // A requester, after the flag: in the order of all such accesses.
        self.open.load(SeqCst) != 0
    }

    /// Whether nothing has been changed on the thread that leaving has to put back.
    #[inline]
    pub(crate) fn is_untouched(&self) -> bool {
        !self.touched.load(Relaxed)
    }

    /// Whether the stop signal is for the region, and for no marked call in it: then the
    /// backend that blocks it has it unblocked.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_open() && self.paused.load(Relaxed) == 0
    }
}
