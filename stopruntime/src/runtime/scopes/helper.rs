//! The thread that wakes others whose deadline has passed: one for the process, from
//! the first deadline on.
//!
//! A deadline costs nothing until it passes. It is a word in the record of its
//! thread, and a look at when the helper will wake up next:
//!
//! ```text
//! thread:  deadline <- d                    helper:  s <- sequence; now <- clock
//!          if d < next:                              look at all deadlines: tell those that
//!              next <- min(next, d)                  have passed; m <- the earliest other one
//!              sequence += 1; wake                   next <- m
//!                                                    barrier of all threads
//!                                                    look again: an earlier one? begin again
//!                                                    sleep until m, while sequence = s
//! ```
//!
//! One more store-then-load race: *thread:* deadline, then `next`; *helper:* `next`,
//! then the deadlines. So a thread either wakes the helper, or the helper's second
//! look finds its deadline. An outer deadline that comes back as an inner scope is
//! left is armed like a new one.
//!
//! The helper blocks all signals, takes no lock and runs no code of others', so that
//! nothing delays a deadline. A forked child has none until it needs one.

use super::clock::{self, Deadline, NEVER};
use super::in_flight::InFlight;
use super::request;
use crate::runtime::futex::{futex_wait_until, futex_wake_one};
use crate::runtime::process::{PerProcess, Place};
use crate::runtime::record::Record;
use crate::runtime::records;
use crate::runtime::signal;
use core::sync::atomic::{AtomicU32, Ordering};
use std::thread;

#[allow(unsafe_code, reason = "its place")]
// SAFETY: its only user.
static HELPER: PerProcess<Helper> = unsafe { PerProcess::new(Place::Deadlines) };

struct Helper {
    /// When it wakes up; [`NEVER`] also while there is none.
    next: Deadline,
    /// What it sleeps on.
    sequence: AtomicU32,
    state: AtomicU32,
}

const NONE: u32 = 0;
const STARTED: u32 = 1;

impl Default for Helper {
    fn default() -> Helper {
        Helper {
            next: Deadline::new(NEVER),
            sequence: AtomicU32::new(0),
            state: AtomicU32::new(NONE),
        }
    }
}

/// When the helper wakes up next: a thread that has an earlier deadline wakes it.
#[inline]
pub(super) fn next() -> u64 {
    HELPER.get().map_or(NEVER, |helper| helper.next.load(Ordering::Relaxed))
}

/// Tells the helper of an earlier deadline.
///
/// # Panics
///
/// If the helper is needed for the first time and cannot be started.
#[cold]
pub(super) fn wake(own: Option<&Record>, deadline: u64) {
    if let Some(own) = own {
        // The helper signals no thread of which it is not known that this process has it.
        own.own_after_raw_fork();
    }
    let helper = HELPER.get_or_make();
    if helper.state.load(Ordering::Acquire) == NONE {
        helper.start();
    }
    helper.next.fetch_min(deadline, Ordering::SeqCst);
    // mutant: wake-counts-up
    helper.sequence.fetch_add(1, Ordering::SeqCst);
    futex_wake_one(&helper.sequence);
}

impl Helper {
    fn start(&'static self) {
        if self.state.swap(STARTED, Ordering::AcqRel) == STARTED {
            return;
        }
        let builder = thread::Builder::new().name("stop-deadlines".into()).stack_size(64 * 1024);
        let started = signal::with_all_blocked(|| builder.spawn(|| self.run()));
        if let Err(error) = started {
            self.state.store(NONE, Ordering::Release);
            self.next.store(NEVER, Ordering::SeqCst);
            panic!("stopruntime: no thread to watch over deadlines: {error}");
        }
    }

    fn run(&self) {
        clock::wake_exactly();
        let mut rounds = Rounds { interval: 0, left: 0 };
        loop {
            // First: a record that changes afterwards is looked at once more.
            // mutant: wakes-counted-before-look
            let seen = self.sequence.load(Ordering::SeqCst);
            let now = clock::now();
            let earliest = tell(now);
            let planned = rounds.plan(now, earliest);
            self.next.store(planned, Ordering::SeqCst);
            // mutant: barrier-behind-plan
            signal::barrier();
            // mutant: helper-looks-again
            if earlier_than(planned, now) {
                continue;
            }
            // mutant: helper-sleeps
            futex_wait_until(&self.sequence, seen, planned);
        }
    }
}

/// A few rounds more when nothing is armed: a thread that enters a scope with a
/// deadline again and again does not have to wake the helper each time.
struct Rounds {
    interval: u64,
    left: u32,
}

impl Rounds {
    fn plan(&mut self, now: u64, earliest: u64) -> u64 {
        const MORE: u32 = 4;
        const LEAST: u64 = 1_000_000;
        if earliest != NEVER {
            *self = Rounds { interval: (earliest - now).max(LEAST), left: MORE };
            return earliest;
        }
        if self.left == 0 {
            return NEVER;
        }
        self.left -= 1;
        now.saturating_add(self.interval)
    }
}

/// Tells all threads whose deadline has passed; the earliest one that has not.
fn tell(now: u64) -> u64 {
    let mut earliest = NEVER;
    let mut any = false;
    let in_flight = InFlight::begin();
    for record in records::taken() {
        let deadline = record.visible.deadline.load(Ordering::SeqCst);
        let far = record.visible.far.load(Ordering::SeqCst);
        for word in [deadline, far] {
            if word > now {
                earliest = earliest.min(word);
            }
        }
        any |= is_news(record, now);
    }
    if any {
        let mut threads = records::taken().filter(|record| take_news(record, now));
        request::interrupt(&mut threads, &|record| record.is_overdue(now));
    }
    drop(in_flight);
    earliest
}

/// Whether a deadline of the thread has passed of which it has not been told.
fn is_news(record: &Record, now: u64) -> bool {
    let deadline = record.visible.deadline.load(Ordering::SeqCst);
    deadline <= now && record.cells.told.load(Ordering::Relaxed) != deadline
        || record.visible.far.load(Ordering::SeqCst) <= now
}

/// Returns the same, and marks the news as told.
fn take_news(record: &Record, now: u64) -> bool {
    let deadline = record.visible.deadline.load(Ordering::SeqCst);
    let far = record.visible.far.load(Ordering::SeqCst);
    let mut news = false;
    if deadline <= now && record.cells.told.load(Ordering::Relaxed) != deadline {
        record.cells.told.store(deadline, Ordering::Relaxed);
        news = true;
    }
    if far <= now {
        // Before the thread is told: it puts the next one here itself, as it looks.
        let order = Ordering::SeqCst;
        let _ = record.visible.far.compare_exchange(far, NEVER, order, order);
        // It does not look if this one was of a scope that it has left, or that a shield
        // hides: its call is not interrupted. The second look plans for what is here now.
        // mutant: helper-puts-next-far-deadline-back
        record.visible.far.fetch_min(record.next_deadline(now), order);
        news = true;
    }
    news
}

/// The second look: whether something has been armed that the plan does not have.
fn earlier_than(planned: u64, now: u64) -> bool {
    records::taken().any(|record| {
        let [deadline, far] =
            [&record.visible.deadline, &record.visible.far].map(|word| word.load(Ordering::SeqCst));
        is_news(record, now) || deadline > now && deadline < planned || far > now && far < planned
    })
}
