//! A thread's record, as `ppoll/inside.rs` knows it: the words of the protocol, the claim,
//! one scope, and a stop signal that is open in the wait alone.

use crate::atomic::{AtomicU32, fence};
use crate::claim::Claim;
use crate::scope::Stopped;
use core::cell::RefCell;
use core::fmt;
use loom::sync::atomic::Ordering::{AcqRel, Acquire, SeqCst};
use loom::thread::Thread;

/// `crate::runtime::scopes::LOOK`.
pub const LOOK: u32 = 1;
const LOOKED: u32 = 3;

/// The words that a requester and its thread share.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) flag: AtomicU32,
    pub(crate) marker: AtomicU32,
}

/// What a poisoned argument would be here.
#[derive(Debug)]
pub(crate) struct Argument;

impl Argument {
    #[allow(clippy::unused_self, reason = "as the product calls it")]
    pub(crate) fn disarm(&self) {}
}

/// As `stopruntime`'s.
pub struct Record {
    pub(crate) line: Line,
    pub(crate) argument: Argument,
    claim: Claim,
    /// The thread's own scope.
    stopped: AtomicU32,
    /// The number of the pending signal, plus one.
    pending: AtomicU32,
    /// The thread, while it sleeps in its wait.
    sleeper: RefCell<Option<Thread>>,
}

impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Record").finish_non_exhaustive()
    }
}

impl Default for Record {
    fn default() -> Record {
        Record {
            line: Line::default(),
            argument: Argument,
            claim: Claim::new(),
            stopped: AtomicU32::default(),
            pending: AtomicU32::default(),
            sleeper: RefCell::default(),
        }
    }
}

#[allow(unsafe_code, reason = "loom's threads are all on the thread of their test")]
// SAFETY: as above; each access of the sleeper is one step.
unsafe impl Sync for Record {}
#[allow(unsafe_code, reason = "loom's threads are all on the thread of their test")]
// SAFETY: as above.
unsafe impl Send for Record {}

impl Record {
    /// Requests a stop of the thread's own scope, as `request` and `end_its_call` do.
    pub fn request(&self) {
        self.stopped.store(1, SeqCst);
        self.line.flag.store(LOOK, SeqCst);
        let Some(look) = self.claim.look() else { return };
        if self.line.marker.load(SeqCst) == 0 {
            return;
        }
        if let Some(sending) = self.claim.claim(look) {
            let _ = self.pending.compare_exchange(0, sending.sequence() + 1, SeqCst, SeqCst);
            if let Some(thread) = self.sleeper.borrow().as_ref() {
                thread.unpark();
            }
            self.claim.finish(sending, true);
        }
    }

    /// A `ppoll` that nothing ends except the stop signal, which it opens.
    pub fn sleep(&self) {
        *self.sleeper.borrow_mut() = Some(loom::thread::current());
        while !self.deliver() {
            loom::thread::park();
        }
        *self.sleeper.borrow_mut() = None;
    }

    /// Takes the signal that is pending, if there is one.
    fn deliver(&self) -> bool {
        let number = self.pending.swap(0, AcqRel);
        if number != 0 {
            self.claim.delivered(number - 1);
        }
        number != 0
    }

    /// Whether a signal is on its way.
    pub fn is_disturbed(&self) -> bool {
        self.pending.touch(Acquire) != 0
    }

    pub(crate) fn settle(&self) -> bool {
        self.claim.settle(|| {
            self.deliver();
        })
    }

    pub(crate) fn evaluate(&self) -> bool {
        self.line.flag.store(LOOKED, SeqCst);
        fence(SeqCst);
        let stopped = self.stopped.load(Acquire) != 0;
        if stopped {
            self.line.flag.store(LOOK, SeqCst);
        }
        stopped
    }

    pub(crate) fn check(&self) -> Result<(), Stopped> {
        let must_stop = self.line.flag.load(Acquire) == LOOK && self.evaluate();
        if must_stop { Err(Stopped) } else { Ok(()) }
    }
}
