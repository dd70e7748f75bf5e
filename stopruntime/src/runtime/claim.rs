//! Which requester signals a thread, and when the thread knows that no signal is left.
//!
//! One word, a state and a sequence number:
//!
//! | state | means |
//! |---|---|
//! | idle | no stop signal is on its way, pending or blocked |
//! | sending | one requester is about to send signal number *sequence*, or has just done so |
//! | sent | it has been sent, and the thread has not settled since |
//!
//! A requester reads the word *before* it looks whether the thread is to be
//! signalled, and claims the right to signal by a compare-and-swap from what it
//! has read. The thread, on its way out of a marked call in which it was
//! requested to stop, moves the word on whatever it finds. So a requester that
//! has looked before and not claimed yet fails. One that has claimed is waited for,
//! unless its signal has come: the signal carries its number, and when the handler
//! has seen that number, nothing can follow it. That is the usual case, in
//! which the thread neither waits nor makes a system call: the requester is
//! often still inside its own when the thread that it woke comes here.
//!
//! A signal that is merged with another, or that loses its siginfo to the limit
//! of pending ones, does not tell its number. Then the thread waits until it is
//! sent, and takes it.

use crate::runtime::futex::{futex_wait, futex_wake};
use core::sync::atomic::{AtomicU32, Ordering};

const STATE: u32 = 3;
const IDLE: u32 = 0;
const SENDING: u32 = 1;
const SENT: u32 = 2;
/// The thread sleeps until the signal is sent.
const AWAITED: u32 = 4;
const SEQUENCE: u32 = 8;

/// No sequence number: they have 29 bits.
const NONE: u32 = u32::MAX;

pub(crate) struct Claim {
    word: AtomicU32,
    /// The number of the last signal that has come and is done with. Written
    /// by the handler, on the thread itself.
    delivered: AtomicU32,
}

/// The word as a requester found it.
#[derive(Clone, Copy)]
pub(crate) struct Look(u32);

/// The right to send one signal. The thread may be waiting for [`Claim::finish`].
pub(crate) struct Sending {
    claimed: u32,
    /// Idle or sent.
    before: u32,
}

impl Sending {
    /// What the signal has to carry.
    pub(crate) fn sequence(&self) -> u32 {
        sequence(self.claimed)
    }
}

fn sequence(word: u32) -> u32 {
    word / SEQUENCE
}

/// The next number in this state. 2^29 claims between a look and its claim are
/// taken to be impossible.
fn next(word: u32, state: u32) -> u32 {
    (word & !(SEQUENCE - 1)).wrapping_add(SEQUENCE) | state
}

impl Claim {
    pub(crate) const fn new() -> Claim {
        Claim { word: AtomicU32::new(IDLE), delivered: AtomicU32::new(NONE) }
    }

    /// Back to the start, in a forked child: no requester of the parent is here.
    pub(crate) fn reset(&self) {
        self.word.store(IDLE, Ordering::SeqCst);
        self.delivered.store(NONE, Ordering::SeqCst);
    }

    /// The same in a child whose thread has not been told that it is one. Others
    /// may do so at the same time, but none has claimed before `is_stale` says no.
    pub(crate) fn reset_if(&self, is_stale: impl Fn() -> bool) -> bool {
        // In this order: what changes the word afterwards is of this process.
        let word = self.word.load(Ordering::SeqCst);
        let stale = is_stale();
        if stale {
            let (fresh, order) = (next(word, IDLE), Ordering::SeqCst);
            let _ = self.word.compare_exchange(word, fresh, order, order);
        }
        stale
    }

    // ---- the requester's side: async-signal-safe ----

    /// The first step, before anything of the thread is looked at. None if
    /// another requester is sending already: the thread does not get past that one.
    pub(crate) fn look(&self) -> Option<Look> {
        let word = self.word.load(Ordering::SeqCst);
        // mutant: one-requester-sends
        (word & STATE != SENDING).then_some(Look(word))
    }

    /// Claims the right to signal; none if the word has changed since.
    pub(crate) fn claim(&self, Look(word): Look) -> Option<Sending> {
        let claimed = next(word, SENDING);
        // mutant: sender-has-claimed
        let done = self.word.compare_exchange(word, claimed, Ordering::SeqCst, Ordering::SeqCst);
        done.is_ok().then_some(Sending { claimed, before: word & STATE })
    }

    /// The signal is sent, or could not be. If the thread has had it already,
    /// this finds another word and leaves it alone.
    pub(crate) fn finish(&self, Sending { claimed, before }: Sending, sent: bool) {
        // mutant: signal-not-sent-not-expected
        let finished = claimed & !STATE | if sent { SENT } else { before };
        let exchange = |from| {
            self.word.compare_exchange(from, finished, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        };
        if !exchange(claimed) && exchange(claimed | AWAITED) {
            // mutant: requester-says-it-is-done
            futex_wake(&self.word);
        }
    }

    // ---- the thread's side ----

    /// Whether a stop signal may be on its way: what tells ours from a foreign
    /// one of the same number.
    pub(crate) fn is_open(&self) -> bool {
        self.word.load(Ordering::SeqCst) & STATE != IDLE
    }

    /// From the handler: whether the signal under this claim has not shown its
    /// number yet, so that one that carries none may be it.
    pub(crate) fn expects(&self) -> bool {
        let word = self.word.load(Ordering::SeqCst);
        self.delivered.load(Ordering::Relaxed) != sequence(word)
    }

    /// From the handler: the number of the signal that is on its way.
    pub(crate) fn sequence(&self) -> u32 {
        sequence(self.word.load(Ordering::SeqCst))
    }

    /// From the handler: this signal has come.
    pub(crate) fn delivered(&self, sequence: u32) {
        self.delivered.store(sequence, Ordering::Relaxed);
    }

    /// From the handler: the signal is sent once more, and will come again.
    pub(crate) fn postponed(&self) {
        self.delivered.store(NONE, Ordering::Relaxed);
    }

    /// Returns when no stop signal is on its way, and none will be sent by
    /// requesters that have looked at the thread before this; true if there was one. `drain`
    /// takes the one that is pending or blocked.
    pub(crate) fn settle(&self, drain: impl Fn()) -> bool {
        loop {
            let word = self.word.load(Ordering::SeqCst);
            // mutant: no-wait-for-signal-delivered
            let delivered = self.delivered.load(Ordering::Relaxed) == sequence(word);
            match word & STATE {
                SENDING if !delivered => {
                    // mutant: way-out-waits-for-signal-being-sent
                    self.wait_until_sent(word);
                    continue;
                }
                // mutant: sent-signal-taken
                SENT if !delivered => drain(),
                _ => {}
            }
            // After the drain: until then the handler must know it as ours.
            // mutant: unclaimed-look-expires
            let idle = next(word, IDLE);
            let moved = self.word.compare_exchange(word, idle, Ordering::SeqCst, Ordering::SeqCst);
            if moved.is_ok() {
                return word & STATE != IDLE;
            }
        }
    }

    fn wait_until_sent(&self, sending: u32) {
        let awaited = sending | AWAITED;
        let set = self.word.compare_exchange(sending, awaited, Ordering::SeqCst, Ordering::SeqCst);
        if set.is_ok() || sending == awaited {
            futex_wait(&self.word, awaited, None);
        }
    }
}
