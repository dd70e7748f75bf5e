//! The protocol of scopes between threads that enter and leave them, requesters, and the
//! helper of deadlines.

use super::{ALL, ITSELF, RSEQ, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    [requests(), found(), looks(), entering(), ends(), deadlines()].into_iter().flatten().collect()
}

fn requests() -> Vec<Row> {
    vec![
        row("a flag stays up while a request is on its way", "the look at how many there are")
            .always("flag-stays-while-requests-are-in-flight")
            .caught_by("races::scope_steps::a_requester_of_a_scope_that_is_entered_once_more", WINDOWS),
        row("a request is counted before all else", "as the flags are up")
            .becomes("request-counted-before-all-else", "let in_flight = ();")
            .before("flagged-alone-are-signalled", "let _in_flight = InFlight::begin();")
            .caught_by("races::scope_steps::a_requester_of_a_scope_that_is_entered_once_more", WINDOWS),
        row("the state is set before the flags", "it is set last")
            .change("state-set-before-flags", "scope.set(REQUESTED)", "scope.bits()")
            .before("request-is-done", "scope.set(REQUESTED);")
            .change("state-of-a-scope", "pub(crate) fn has", "pub(crate) fn bits(&self) -> u32 { self.state.load(Ordering::Acquire) }\n    pub(crate) fn has")
            .caught_by("races::scope_steps::a_requester_of_a_scope_of_a_thread_that_looks", ALL)
            .caught_by("races::scope_steps::a_requester_of_a_thread_that_looks", ALL),
        row("all threads pass a barrier before they are looked for", "that barrier")
            .gone("barrier-between-state-and-look")
            .caught_by("signals::silence::a_scope_of_many_threads_takes_two_barriers", WINDOWS),
        row("and once more before they are signalled", "that one")
            .becomes("barrier-of-each-batch", "let barrier = true;")
            .caught_by("signals::silence::a_scope_of_many_threads_takes_two_barriers", WINDOWS),
        row("so does each further batch", "the first one's counts for all")
            .becomes("barrier-of-each-batch", "let barrier = core::mem::take(&mut first) && signal::barrier() || true;")
            .before("first-batch", "let mut first = true;")
            .caught_by("signals::silence::each_batch_has_a_barrier", WINDOWS)
            .caught_by("signals::silence::many_handles_take_a_barrier_for_each_batch", WINDOWS),
        row("of many handles each is looked at before it is signalled", "once is enough")
            .change("many-requests-fit-their-own", "record.sees_own()", "{ let _ = record; true }")
            .caught_by("signals::silence::many_handles_take_a_barrier_for_each_batch", WINDOWS),
        row("what looks for the end of a scope is told that one of many is requested", "it is not")
            .gone("many-requests-are-told")
            .caught_by("jobs::many::callbacks_run", ALL),
        row("a flag that says the thread has looked is made to say that it is to look", "a bit is set")
            .change("flag-becomes-1", "store", "fetch_or")
            .caught_by("races::scope_steps::a_requester_beside_another", ALL),
    ]
}

fn found() -> Vec<Row> {
    vec![
        row("a thread is looked at again before it is signalled", "once is enough")
            .change("looks-again-who-runs-under", ", &runs_under", ", &|_| true")
            .caught_by("races::scope_steps::a_requester_of_a_scope_that_is_left", ALL),
        row("and after its marker", "before it")
            .change("shielded-request-sends-no-signal", "(inside || parked) && fits(self)", "fitted && (inside || parked)")
            .change("without-membarrier-always-signals", "let inside", "let fitted = fits(self);\n        let inside")
            .caught_by("races::scope_steps::a_requester_of_a_scope_that_was_looked_for", WINDOWS),
        row("only those are signalled whose flag has been set", "all that are in the scope by now")
            .gone("no-more-are-found")
            .change("flagged-alone-are-signalled", "for record in batch.iter().flatten() {", "if true {\n            for record in records::taken() {\n                record.end_its_call(barrier, fits);\n            }\n            return;\n        }\n        for record in batch.iter().flatten() {")
            .caught_by("races::scope_steps::a_requester_of_a_scope_that_is_entered_late", WINDOWS),
    ]
}

fn looks() -> Vec<Row> {
    vec![
        row("a thread says that it has looked before it does", "after it")
            .gone("has-looked-is-said-before-look")
            .change(
                "looks-at-scopes",
                "let mut look = look();",
                "let mut look = look();\n        flag.store(LOOKED, Ordering::SeqCst);",
            )
            .caught_by("races::scope_steps::thread::a_thread_that_looks_is_stopped", ALL),
        row("it takes its flag down unless that has been set again", "whatever it says")
            .becomes("flag-taken-down-unless-set-again", "flag.store(0, Ordering::SeqCst);")
            .caught_by("races::scope_steps::thread::a_thread_that_looks_is_stopped", ALL),
        row("the flag is a hint", "it is taken for the truth")
            .change(
                "flag-is-a-hint",
                "&& self.evaluate().take()",
                "&& { let _ = self.evaluate().take(); true }",
            )
            .caught_by("jobs::leaving::a_scope_that_was_stopped_before_stops_at_once", ALL),
        row("a stop that is found stands in the flag", "it stands in the scope alone")
            .gone("stop-that-is-found-stands-in-flag")
            .caught_by("runtime::lifecycle::a_stop_is_seen_again_and_again", ALL),
        row("threads and the helper have one clock", "the threads' is late")
            .change("clock-of-looks-is-the-helpers", "clock::now", "|| clock::now() - 4_000_000")
            .caught_by("jobs::limits::each_kind_of_wait_ends_in_time_and_not_before", WINDOWS),
    ]
}

fn entering() -> Vec<Row> {
    vec![
        row("a scope is published before the thread looks at it", "after it")
            .gone("scope-published-before-look")
            .before("entering-looks-at-scope", "record.publish(cell);")
            .caught_by("races::scope_steps::thread::a_thread_that_enters_is_stopped", ALL),
        row("what a shield has hidden is visible before it is looked at", "after it")
            .becomes("visible-again-before-look", "Some(_) => {}")
            .change("leaving-shield-looks", "record.raise_if_stopped();", "record.raise_if_stopped();\n            if let Some(saved) = self.saved {\n                record.restore_outer(&saved);\n            }")
            .caught_by("races::scope_steps::thread::a_thread_that_leaves_a_shield_is_stopped", ALL),
        row("where no barrier orders it the thread does itself", "its fence")
            .becomes("own-fence-where-others-have-none", "compiler_fence(Ordering::SeqCst);")
            .caught_by("loom/scopes::looked_for::a_scope_that_is_entered_is_looked_at_by_one_of_both", ITSELF),
    ]
}

fn ends() -> Vec<Row> {
    vec![
        row("a scope that is left is the innermost one", "whatever it is")
            .never("scope-that-is-left-is-innermost")
            .caught_by("hostile::jumps::a_jump_out_of_a_scope", ALL),
    ]
}

fn deadlines() -> Vec<Row> {
    const ROUND: &str = "races::scope_steps::helper::a_helper_in_its_round_misses_no_deadline";
    vec![
        row("a deadline is told before the thread looks at the helper's plan", "after it")
            .gone("deadline-told-before-look")
            .change("earlier-deadline-wakes-helper", "helper::wake(Some(self), deadline);\n        }", "helper::wake(Some(self), deadline);\n        }\n        self.visible.deadline.store(deadline, Ordering::Relaxed);")
            .caught_by("races::scope_steps::thread::a_deadline_that_is_armed_passes", ALL),
        row("the helper is told of an outer deadline that comes back", "it is not")
            .change("outer-deadline-comes-back", "record.arm(self.saved.deadline);", "record.visible.deadline.store(self.saved.deadline, Ordering::Relaxed);")
            .caught_by("foreign::scopes::a_deadline_around_it_comes_back_from_inside::handed_over", ALL)
            .caught_by("foreign::scopes::a_deadline_around_it_comes_back_from_inside::by_timer", ALL),
        row("a deadline of a scope that was left hides no later one", "the later one is forgotten with it")
            .gone("helper-puts-next-far-deadline-back")
            .caught_by("jobs::limits::a_deadline_of_a_scope_that_was_left_hides_no_later_one", ALL),
        row("a wake-up counts also if the helper does not sleep yet", "it is not counted")
            .gone("wake-counts-up")
            .caught_by(ROUND, RSEQ),
        row("the helper knows the count from before its look", "from after it")
            .becomes("wakes-counted-before-look", "let _ = &self.sequence;")
            .before("helper-sleeps", "let seen = self.sequence.load(Ordering::SeqCst);")
            .caught_by(ROUND, RSEQ),
        row("it looks again when its plan is known", "once is enough")
            .never("helper-looks-again")
            .caught_by(ROUND, RSEQ),
        row("with a barrier in between", "that barrier")
            .gone("barrier-behind-plan")
            .caught_by(ROUND, WINDOWS),
    ]
}
