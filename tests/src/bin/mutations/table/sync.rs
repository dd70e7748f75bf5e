//! The locks: most of these races are for loom alone.

use super::{ALL, ITSELF, Row, row};

const MUTEX: &str = "sync/mutex.rs";
const CONDVAR: &str = "sync/condvar.rs";
const ONCE: &str = "sync/once/futex.rs";
const RWLOCK: &str = "sync/rwlock/futex.rs";
const SEMAPHORE: &str = "sync/semaphore.rs";
const BARRIER: &str = "sync/barrier.rs";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a waiter that was woken does not forget the others", "it takes the lock as the only one")
            .edit(
                MUTEX,
                "while self.0.swap(CONTENDED, Acquire) != FREE {",
                "while !self.try_lock() && (self.0.compare_exchange(HELD, CONTENDED, Relaxed, Relaxed) != Err(FREE) || !self.try_lock()) {",
            )
            .caught_by("loom/mutex::a_stopped_waiter_leaves_the_lock_to_the_next", ITSELF),
        row("who has the lock sees what was done under it", "`Acquire` of who has waited")
            .edit(MUTEX, "self.0.swap(CONTENDED, Acquire)", "self.0.swap(CONTENDED, Relaxed)")
            .caught_by("loom/mutex::holders_exclude_each_other", ITSELF),
        row("a waiter of a condition variable knows the counter under the lock", "when it is free")
            .edit(
                CONDVAR,
                "let before = self.notified.load(Relaxed);
        self.waiting.fetch_add(1, SeqCst);
        drop(guard);",
                "self.waiting.fetch_add(1, SeqCst);
        drop(guard);
        let before = self.notified.load(Relaxed);",
            )
            .caught_by("loom/condvar::a_waiter_is_woken", ITSELF),
        row("and is counted itself", "when it is free")
            .edit(
                CONDVAR,
                "self.waiting.fetch_add(1, SeqCst);
        drop(guard);",
                "drop(guard);
        self.waiting.fetch_add(1, SeqCst);",
            )
            .caught_by("loom/condvar::a_waiter_is_woken", ITSELF),
        row("a notification that finds nobody asleep is one", "the counter")
            .edit(
                CONDVAR,
                "self.notified.fetch_add(1, Relaxed);
        wake(",
                "wake(",
            )
            .caught_by("loom/condvar::a_waiter_is_woken", ITSELF),
        row("permits are added before the look for waiters", "after it")
            .edit(
                SEMAPHORE,
                "let before = self.permits.fetch_update(SeqCst, SeqCst, |free| free.checked_add(permits));",
                "let waiting = self.waiting.load(SeqCst);
        let before = self.permits.fetch_update(SeqCst, SeqCst, |free| free.checked_add(permits));",
            )
            .edit(SEMAPHORE, "if self.waiting.load(SeqCst) != 0 {", "if waiting != 0 {")
            .caught_by("loom/semaphore::one_permit_is_a_lock", ITSELF),
        row("a waiter for permits is announced", "its number")
            .edit(SEMAPHORE, "self.waiting.fetch_add(1, SeqCst);", "")
            .edit(SEMAPHORE, "self.waiting.fetch_sub(1, SeqCst);", "")
            .caught_by("loom/semaphore::one_permit_is_a_lock", ITSELF),
        row("who wants many permits takes no wake-up from who wants one", "they sleep together")
            .edit(
                SEMAPHORE,
                "if more == 0 { (&self.permits, 0) } else { (&self.released, released) };",
                "if more == 0 || self.permits.load(SeqCst) == 0 { (&self.permits, 0) } else { (&self.released, released) };",
            )
            .caught_by("loom/semaphore::one_permit_wakes_who_wants_one", ITSELF),
        row("a stopped writer does not keep the readers away", "its bits stay")
            .edit(RWLOCK, "self.give_up();\n                return Err(stop);", "let _ = RawRwLock::give_up as fn(&RawRwLock);\n                return Err(stop);")
            .caught_by("loom/rwlock::a_stopped_writer_lets_the_readers_in", ITSELF),
        row("a writer that was woken leaves the bit for the others", "it takes the lock as the only one")
            .edit(RWLOCK, "others = WRITERS;", "others = 0;")
            .caught_by("loom/rwlock::three_writers_take_turns", ITSELF),
        row("who goes on reading lets the readers in", "the wake-up")
            .edit(RWLOCK, "if state & (READERS | WRITERS) == READERS {\n            self.wake_readers();", "let _ = RawRwLock::wake_readers as fn(&RawRwLock);\n        if state & (READERS | WRITERS) == READERS {")
            .caught_by("loom/rwlock::a_writer_that_goes_on_reading_lets_the_readers_in", ITSELF),
        row("who waits for a `Once` is remembered by the next in line", "it is forgotten")
            .edit(ONCE, "let running = RUNNING | state & AWAITED;", "let running = RUNNING;")
            .caught_by("loom/once::who_only_waits_is_woken", ITSELF),
        row("who is stopped at a barrier lets the others go", "they wait on")
            .edit(BARRIER, "if state.round == round {\n                        self.give_up(state);", "if state.round == round {\n                        drop(state);")
            .caught_by("sync::semaphore::a_stopped_participant_breaks_the_barrier", ALL),
        row("also who is stopped as it comes", "they wait on")
            .edit(BARRIER, "self.give_up(self.state());", "")
            .caught_by("loom/barrier::two_meet_or_know_that_they_have_not", ITSELF),
        row("who has met the others is not stopped", "whether all had come is not looked at")
            .edit(BARRIER, "if state.round == round {\n                        self.give_up", "if state.round == round || true {\n                        self.give_up")
            .caught_by("loom/barrier::two_meet_or_know_that_they_have_not", ITSELF),
        row("a condition that is false goes before a request that came first", "the request is looked at first")
            .edit(CONDVAR, "let mutex = guard.mutex();\n        while condition", "let mutex = guard.mutex();\n        W::check()?;\n        while condition")
            .caught_by("sync::condvar::a_condition_that_is_false_goes_before_a_request_that_came_first", ALL),
        row("and before the stop of a wait", "it is not looked at again")
            .edit(CONDVAR, "let goes_on = condition(&mut guard);", "let goes_on = true;")
            .caught_by("sync::condvar::a_condition_that_became_false_unnoticed_goes_before_the_stop_of_the_wait", ALL),
        row("which does not wait for the mutex", "it is locked")
            .edit(CONDVAR, "mutex.try_lock_for_moments().ok_or(stop)?", "mutex.lock().ok().ok_or(stop)?")
            .caught_by("sync::condvar::a_stopped_wait_for_a_condition_does_not_wait_for_the_mutex", ALL),
        row("what is initialised goes before a request that came first", "the request is looked at first")
            .edit(ONCE, "if self.is_done() { Ok(Ok(())) } else { self.call_slowly", "W::check()?;\n        if self.is_done() { Ok(Ok(())) } else { self.call_slowly")
            .caught_by("sync::once::what_is_there_goes_before_a_request_that_came_first", ALL),
        row("an initialiser that says that it was stopped is not the one", "it is")
            .edit(ONCE, "if result.is_ok() { DONE } else { NOT_YET }", "DONE")
            .caught_by("sync::once::a_closure_that_was_stopped_half_way_is_not_the_one", ALL),
    ]
}
