//! The locks: most of these races are for loom alone.

use super::{ALL, ITSELF, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a waiter that was woken does not forget the others", "it takes the lock as the only one")
            .condition("waiter-woken-does-not-forget", "!self.try_lock() && (self.0.compare_exchange(HELD, CONTENDED, Relaxed, Relaxed) != Err(FREE) || !self.try_lock())")
            .caught_by("loom/mutex::a_stopped_waiter_leaves_the_lock_to_the_next", ITSELF),
        row("the holder of the lock sees what was done under it", "`Acquire` of one that has waited")
            .change("waiter-woken-does-not-forget", ", Acquire", ", Relaxed")
            .caught_by("loom/mutex::holders_exclude_each_other", ITSELF),
        row("a waiter of a condition variable knows the counter under the lock", "when it is free")
            .change("condvar-counter-read-under-lock", "let before = self.notified.load(Relaxed);\n        self.waiting.fetch_add(1, SeqCst);\n        drop(guard)", "self.waiting.fetch_add(1, SeqCst);\n        drop(guard);\n        let before = self.notified.load(Relaxed)")
            .caught_by("loom/condvar::a_waiter_is_woken", ITSELF),
        row("and is counted itself", "when it is free")
            .change("condvar-waiter-counted", "self.waiting.fetch_add(1, SeqCst);\n        drop(guard)", "drop(guard);\n        self.waiting.fetch_add(1, SeqCst)")
            .caught_by("loom/condvar::a_waiter_is_woken", ITSELF),
        row("a notification that finds no thread asleep is one", "the counter")
            .change("notification-without-waiter", "self.notified.fetch_add(1, Relaxed);", "")
            .caught_by("loom/condvar::a_waiter_is_woken", ITSELF),
        row("permits are added before the look for waiters", "after it")
            .change("permits-before-look-for-waiters", "let before", "let waiting = self.waiting.load(SeqCst);\n        let before")
            .condition("permits-before-look-for-waiters-2", "waiting != 0")
            .caught_by("loom/semaphore::one_permit_is_a_lock", ITSELF),
        row("a waiter for permits is announced", "its number")
            .gone("waiter-for-permits-announced")
            .gone("waiter-for-permits-announced-2")
            .caught_by("loom/semaphore::one_permit_is_a_lock", ITSELF),
        row("a thread that wants many permits takes no wake-up from one that wants one", "they sleep together")
            .change("many-permits-sleep-apart", "if more == 0 { (&self.permits, 0) }", "if more == 0 || self.permits.load(SeqCst) == 0 { (&self.permits, 0) }")
            .caught_by("loom/semaphore::one_permit_wakes_a_waiter_for_one", ITSELF),
        row("a stopped writer does not keep the readers away", "its bits stay")
            .change("stopped-writer-does-not-keep", "self.give_up()", "let _ = RawRwLock::give_up as fn(&RawRwLock)")
            .caught_by("loom/rwlock::a_stopped_writer_lets_the_readers_in", ITSELF),
        row("a writer that was woken leaves the bit for the others", "it takes the lock as the only one")
            .becomes("writer-woken-leaves-bit-for", "others = 0;")
            .caught_by("loom/rwlock::three_writers_take_turns", ITSELF),
        row("who goes on reading lets the readers in", "the wake-up")
            .change("downgrade-wakes-readers", "if state & (READERS | WRITERS) == READERS {\n            self.wake_readers();", "let _ = RawRwLock::wake_readers as fn(&RawRwLock);\n        if state & (READERS | WRITERS) == READERS {")
            .caught_by("loom/rwlock::a_writer_that_goes_on_reading_lets_the_readers_in", ITSELF),
        row("a thread that waits for a `Once` is remembered by the next in line", "it is forgotten")
            .change("once-waiters-remembered", "| state & AWAITED", "")
            .caught_by("loom/once::a_mere_waiter_is_woken", ITSELF),
        row("a thread that is stopped at a barrier lets the others go", "they wait on")
            .change("barrier-stopped-lets-others-go", "self.give_up", "drop")
            .caught_by("sync::semaphore::a_stopped_participant_breaks_the_barrier", ALL),
        row("also one that is stopped as it comes", "they wait on")
            .gone("barrier-stopped-on-arrival")
            .caught_by("loom/barrier::two_meet_or_know_that_they_have_not", ITSELF),
        row("a thread that has met the others is not stopped", "whether all had come is not looked at")
            .always("barrier-passed-is-no-stop")
            .caught_by("loom/barrier::two_meet_or_know_that_they_have_not", ITSELF),
        row("a condition that is false goes before a request that came first", "the request is looked at first")
            .before("false-condition-before-request", "W::check()?;")
            .caught_by("sync::condvar::a_condition_that_is_false_goes_before_a_request_that_came_first", ALL),
        row("and before the stop of a wait", "it is not looked at again")
            .becomes("condition-before-stop", "let goes_on = true;")
            .caught_by("sync::condvar::a_condition_that_became_false_unnoticed_goes_before_the_stop_of_the_wait", ALL),
        row("which does not wait for the mutex", "it is locked")
            .change("condvar-stop-does-not-lock", "try_lock_for_moments", "lock().ok")
            .caught_by("sync::condvar::a_stopped_wait_for_a_condition_does_not_wait_for_the_mutex", ALL),
        row("what is initialised goes before a request that came first", "the request is looked at first")
            .before("initialised-before-request", "W::check()?;")
            .caught_by("sync::once::what_is_there_goes_before_a_request_that_came_first", ALL),
        row("an initialiser that says that it was stopped is not the one", "it is")
            .change("unfinished-initialiser-not-counted", "if result.is_ok() { DONE } else { NOT_YET }", "DONE")
            .caught_by("sync::once::a_closure_that_was_stopped_half_way_is_not_the_one", ALL),
    ]
}
