//! Scopes that are no threads: what a thread runs under, limits, callbacks.

use super::{ALL, HANDLER, RSEQ, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    [entering(), limits(), trees(), callbacks()].into_iter().flatten().collect()
}

fn entering() -> Vec<Row> {
    vec![
        row("a scope that is stopped already stops what enters it", "the look")
            .never("entering-looks-at-scope")
            .caught_by("jobs::leaving::a_scope_that_was_stopped_before_stops_at_once", ALL),
        row("a shield hides what is around it from requesters", "it stays visible")
            .gone("shield-hides-from-requesters")
            .caught_by(
                "runtime::lifecycle_held::a_request_does_not_disturb_a_shielded_call",
                HANDLER,
            ),
        row("what code knows of a stop its next call knows", "the flag may come later")
            .never("what-is-known-stands-in-flag")
            .caught_by("jobs::leaving::what_is_known_of_a_request_the_next_call_knows", RSEQ),
        row("what a shield has hidden is looked at as it ends", "the look")
            .gone("leaving-shield-looks")
            .caught_by("jobs::shields::scopes_inside_of_a_shield_stop", ALL),
        row("and not before", "the walk goes on behind the shield")
            .never("walk-ends-at-shield")
            .caught_by("jobs::shields::a_request_of_the_thread_is_held", ALL)
            .caught_by("jobs::trees::random_ones_are_as_the_model_says", RSEQ),
    ]
}

fn limits() -> Vec<Row> {
    vec![
        row("an earlier deadline wakes the helper", "it does not")
            .never("earlier-deadline-wakes-helper")
            .caught_by("jobs::limits::each_kind_of_wait_ends_in_time_and_not_before", RSEQ),
        row("the outer deadline comes back as an inner scope is left", "the inner one stays")
            .never("outer-deadline-comes-back")
            .caught_by("races::scope_steps::thread::a_deadline_that_comes_back_passes", ALL),
        row("a deadline that has passed is seen on entry", "the helper is waited for")
            .never("passed-deadline-is-seen-on-entry")
            .caught_by("jobs::limits::an_ok_passes_whatever_the_clock_says", WINDOWS),
        row("a forked child looks for the deadlines that it has inherited", "it does not")
            .gone("forked-child-looks-for-its-deadlines")
            .caught_by("jobs::limits::a_forked_child_has_its_deadlines", ALL),
        row("and tells its helper of those that others have given", "of its own alone")
            .gone("next-far-deadline-is-put-back")
            .caught_by("jobs::limits::a_forked_child_has_the_deadline_of_a_scope_that_runs", ALL),
        row("a stop from farther out passes through a limit", "it is the limit's own")
            .becomes("outer-stop-passes-on", "true")
            .caught_by("jobs::limits::a_stop_from_farther_out_passes_through", ALL)
            .caught_by("jobs::trees::random_ones_are_as_the_model_says", RSEQ),
        row("an error that a limit has not caused passes", "each is a `TimedOut`")
            .always("only-own-stop-is-timed-out")
            .caught_by("jobs::limits::an_ok_passes_whatever_the_clock_says", ALL),
    ]
}

fn trees() -> Vec<Row> {
    vec![
        row("a request finds who runs under a child", "a child has only its own bits")
            .gone("child-has-bits-of-its-parents")
            .caught_by(
                "jobs::requests::parents_stop_their_children_and_not_the_other_way_round",
                RSEQ,
            ),
        row("a thread's children are looked for as it is requested", "its own record is enough")
            .gone("child-makes-its-parent-spread")
            .caught_by("jobs::requests::a_child_of_a_thread_is_stopped_with_it_elsewhere", RSEQ),
        row("the first reason stays", "the last one does")
            .always("first-reason-stays")
            .caught_by("jobs::requests::the_outermost_scope_speaks", ALL)
            .caught_by("jobs::trees::random_ones_are_as_the_model_says", RSEQ),
    ]
}

fn callbacks() -> Vec<Row> {
    vec![
        row("a request of a scope runs the callbacks of those below it", "of itself alone")
            .becomes("watched-by-those-above", "scope.set(WATCHED);")
            .caught_by("jobs::callbacks::a_callback_runs_once_on_another_thread", RSEQ),
        row("who withdraws a callback that runs waits for it", "the wait")
            .always("withdrawal-waits-for-callback")
            .caught_by("jobs::callbacks::withdrawing_one_that_runs_waits_for_it", RSEQ),
        row("a stop wakes a thread that waits for a channel of crossbeam", "it is not told")
            .gone("request-wakes-crossbeam")
            .caught_by("jobs::channels::a_job_that_waits_for_a_channel_is_stopped", RSEQ),
    ]
}
