//! Asking scopes to stop: async-signal-safe, without a lock, an allocation or a wait
//! for anyone else.

use super::LOOK;
use super::cell::{REQUESTED, SPREAD, ScopeCell, WATCHED};
use super::in_flight::{self, InFlight};
use super::notified::notify;
use super::reason::Reason;
use crate::event;
use crate::runtime::process;
use crate::runtime::record::Record;
use crate::runtime::records;
use crate::runtime::signal;
use crate::runtime::slot;
use core::sync::atomic::Ordering;

/// Requests a stop of the scope. True if it is the first request.
pub(crate) fn request(scope: &ScopeCell, reason: Option<Reason>) -> bool {
    // mutant: request-counted-before-all-else
    let in_flight = InFlight::begin();
    if let Some(reason) = reason {
        scope.give_reason(reason);
    }
    let before = say_so(scope);
    match scope.record() {
        // Its own thread alone runs under it, and need not be looked for.
        Some(record) if before & SPREAD == 0 => {
            if !raise(record) {
                let barrier = signal::barrier();
                // mutant: request-repairs-lost-signal
                record.end_its_call(barrier, &|record| record.sees_own());
            }
        }
        _ => interrupt_all_under(scope),
    }
    // mutant: request-is-done
    drop(in_flight);
    if before & WATCHED != 0 {
        // mutant: request-disconnects-stop-channel
        notify();
    }
    before & REQUESTED == 0
}

/// Requests stops of all these scopes: with one barrier for many threads. How many of
/// them are the first requests.
pub(crate) fn request_all<'a>(scopes: impl Iterator<Item = &'a ScopeCell>) -> usize {
    let in_flight = InFlight::begin();
    let (mut first, mut all) = (0, 0);
    let mut threads = scopes.filter_map(|scope| {
        let before = say_so(scope);
        first += usize::from(before & REQUESTED == 0);
        all |= before;
        let thread = scope.record().filter(|_| before & SPREAD == 0);
        if thread.is_none() {
            interrupt_all_under(scope);
        }
        thread
    });
    // mutant: many-requests-fit-their-own
    interrupt(&mut threads, &|record| record.sees_own());
    drop(in_flight);
    if all & WATCHED != 0 {
        // mutant: many-requests-are-told
        notify();
    }
    first
}

/// The scope is requested to stop; its state before.
fn say_so(scope: &ScopeCell) -> u32 {
    // Before the state: whatever sees that, sees since when.
    scope.since.begin();
    // The state before the flags: a thread that takes its flag down has seen it.
    // mutant: state-set-before-flags
    let before = scope.set(REQUESTED);
    if event::ON && before & REQUESTED == 0 {
        scope.note_requester(signal::thread_id());
    }
    before
}

/// Ends the marked calls of all threads that run under the scope.
fn interrupt_all_under(scope: &ScopeCell) {
    // State, then what threads have published; they do it the other way round.
    // mutant: barrier-between-state-and-look
    signal::barrier();
    let runs_under = |record: &Record| record.runs_under(scope);
    // mutant: looks-again-who-runs-under
    interrupt(&mut records::taken().filter(|record| runs_under(record)), &runs_under);
}

/// Stops the scope at this time.
pub(crate) fn request_at(scope: &ScopeCell, deadline: u64) {
    scope.deadline.fetch_min(deadline, Ordering::SeqCst);
    // As for a request: the deadline, then what threads have published.
    signal::barrier();
    for record in records::taken().filter(|record| record.runs_under(scope)) {
        record.arm_far(deadline);
    }
    if scope.has(WATCHED) {
        notify();
    }
}

/// In a child made without the handlers of `pthread_atfork(3)`: whether the record
/// has the ids of the parent's thread, which the child does not have, unless it is
/// the requester's own. Async-signal-safe.
fn is_of_the_parent(record: &Record) -> bool {
    process::is_raw_child()
        && record.pid.load(Ordering::Relaxed) != signal::process_id()
        && !slot::record_by_key().is_some_and(|own| core::ptr::eq(own, record))
}

/// Sets a thread's flag. True if that was all there is to do: the thread slept on it.
fn raise(record: &Record) -> bool {
    // mutant: flag-becomes-1
    record.line.flag.store(LOOK, Ordering::SeqCst);
    record.ends_by_waking()
}

/// Ends the marked calls of all these threads that still `fit` when they are to be
/// signalled: a batch at a time, all flags, one barrier, then the signals.
///
/// A thread is signalled only by one that has set its flag before a barrier of its
/// own, hence the batch.
pub(super) fn interrupt<'a>(
    threads: &mut dyn Iterator<Item = &'a Record>,
    fits: &dyn Fn(&Record) -> bool,
) {
    const BATCH: usize = 64;
    // mutant: first-batch
    loop {
        let mut batch = [None; BATCH];
        let mut count = 0;
        for record in threads.filter(|record| !raise(record)).take(BATCH) {
            batch[count] = Some(record);
            count += 1;
        }
        // mutant: no-more-are-found
        if count == 0 {
            return;
        }
        // mutant: barrier-of-each-batch
        let barrier = signal::barrier();
        // mutant: flagged-alone-are-signalled
        for record in batch.iter().flatten() {
            // mutant: all-threads-two-barriers
            if !is_of_the_parent(record) {
                record.end_its_call(barrier, fits);
            }
        }
    }
}

/// A thread that has looked, and has found nothing that is stopped, takes its flag
/// down. Not while a requester is in flight: it may have looked at the thread in the
/// call that has just ended, and the next call settles only with the flag up.
///
/// Without a barrier of all threads requesters signal whomever they find under a
/// scope, also one that has just left it: there the thread waits for them, and takes
/// what they have sent. True if they have.
pub(super) fn drop_hint(record: &Record) -> bool {
    let mut met_a_signal = false;
    if !signal::has_membarrier() && record.has_window() {
        while in_flight::any() {
            std::thread::yield_now();
        }
        met_a_signal = record.settle();
    }
    in_flight::lower(&record.line.flag);
    met_a_signal
}

/// In a forked child: the requesters of the parent do not exist, and of its threads
/// one. Async-signal-safe.
pub(crate) fn after_fork(own: Option<&Record>) {
    in_flight::after_fork();
    for record in records::taken() {
        if own.is_none_or(|own| !core::ptr::eq(own, record)) {
            record.visible.hide();
        }
    }
    // The helper that knows of its deadlines does not exist here: it looks, and tells one
    // of its own.
    if let Some(own) = own.filter(|own| own.visible.has_deadline()) {
        // mutant: forked-child-looks-for-its-deadlines
        own.line.flag.store(LOOK, Ordering::SeqCst);
    }
}
