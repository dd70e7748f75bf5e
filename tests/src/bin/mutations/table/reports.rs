//! Reports, the audit, and what a log is told.

use super::{ALL, Row, WINDOWS, row};

pub(super) fn rows() -> Vec<Row> {
    [obstacles(), audit(), events()].into_iter().flatten().collect()
}

/// What is said to keep a thread from stopping.
fn obstacles() -> Vec<Row> {
    vec![
        row("a call that is not marked is said", "it is not")
            .change(
                "obstacles",
                "(Obstacle::NotMarked, is_unmarked &&",
                "(Obstacle::NotMarked, false && is_unmarked &&",
            )
            .caught_by("runtime::report::obstacles::a_call_that_is_not_marked", ALL),
        row("in a shield no mark is missed", "it is said there as well")
            .change(
                "obstacles",
                "is_unmarked && !joins && !in_region && !is_hidden",
                "is_unmarked && !joins && !in_region",
            )
            .caught_by("runtime::report::obstacles::a_shield", ALL),
        row("a shield is said", "it is not")
            .change("obstacles", "(Obstacle::Shielded, is_hidden)", "(Obstacle::Shielded, false)")
            .caught_by("runtime::report::obstacles::a_shield_in_a_job", ALL),
        row("a region of foreign code is said", "it is not")
            .change(
                "obstacles",
                "(Obstacle::Foreign, is_asked && in_region)",
                "(Obstacle::Foreign, false)",
            )
            .caught_by("runtime::report::obstacles::a_region_of_foreign_code", ALL),
        row("a loop without a checkpoint is said", "it is not")
            .change(
                "obstacles",
                "(Obstacle::NoCheckpoint, is_asked && runs &&",
                "(Obstacle::NoCheckpoint, false && runs &&",
            )
            .caught_by("runtime::report::obstacles::a_loop_that_computes", ALL),
        row("a caller that swallows stops is said", "it is not")
            .change(
                "obstacles",
                "(Obstacle::Swallowed, is_asked && swallowed)",
                "(Obstacle::Swallowed, false)",
            )
            .caught_by("runtime::report::obstacles::a_caller_that_takes_a_stop_for_an_error", ALL),
        row("a thread that blocks the stop signal is said", "it is not")
            .change(
                "obstacles",
                "(Obstacle::SignalBlocked, blocked &&",
                "(Obstacle::SignalBlocked, false && blocked &&",
            )
            .caught_by("runtime::report::obstacles::a_thread_that_blocks_the_signal", WINDOWS),
        row("a handler in place of the runtime's is said", "it is not")
            .change("obstacles", "needs_signal && action::is_replaced()", "needs_signal && false")
            .caught_by("runtime::report::obstacles::a_handler_in_place_of_the_runtimes", ALL),
        row("a join is told from other calls that are not marked", "it is one of them")
            .change("obstacles", "is_unmarked && !joins &&", "is_unmarked &&")
            .caught_by("runtime::report::waits::what_is_not_marked", ALL),
        row("a region may end at a stop", "it is said to keep a thread before one")
            .change("obstacles", "is_asked && in_region", "in_region")
            .caught_by("runtime::report::obstacles::a_region_of_foreign_code", ALL),
        row("a plain call's place is not in libc", "libc's code is looked at")
            .change("place-is-not-in-libc", "b\"libc.\"", "b\"no-libc.\"")
            .caught_by("runtime::report::places::of_a_marked_call_and_of_another", ALL),
    ]
}

fn audit() -> Vec<Row> {
    vec![
        row("the audit leaves out what is marked, or in a region", "regions are not left out")
            .change("audit-leaves-marked-out", "|| record.region.is_open()", "")
            .caught_by("runtime::audit::nothing_that_is_marked_or_meant_is_found", ALL),
        row("and marked calls", "they are not left out")
            .change("audit-leaves-marked-out", "is_inside(record) ||", "")
            .caught_by("runtime::audit::nothing_that_is_marked_or_meant_is_found", ALL),
        row("and what a stopped thread does to clean up", "it is not left out")
            .change("audit-excuses-clean-up", "|| record.concern().is_some()", "")
            .caught_by("runtime::audit::nothing_that_is_marked_or_meant_is_found", ALL),
        row("and what is in a shield", "it is not left out")
            .change("audit-excuses-clean-up", "!record.sees_own() ||", "")
            .caught_by("runtime::audit::nothing_that_is_marked_or_meant_is_found", ALL),
        row("and the runtime's own threads", "they are not left out")
            .change("audit-leaves-own-threads-out", "OWN.contains(&thread.as_str()) ||", "")
            .caught_by("runtime::audit::nothing_that_is_marked_or_meant_is_found", ALL),
        row("the audit says each place once", "it says each wait")
            .change(
                "audit-says-each-place-once",
                "place.is_at(&thread, &wait)",
                "false && place.is_at(&thread, &wait)",
            )
            .caught_by("runtime::audit::a_place_is_said_once", ALL),
        row("a place is one of the program's own", "it is the innermost one")
            .change(
                "place-is-the-programs-own",
                "line.as_ref().is_some_and(|",
                "false && line.as_ref().is_some_and(|",
            )
            .caught_by("runtime::audit::two_waits_in_another_crate_are_two_places", ALL),
        row("a wait that ends before its place is known is as long as it was", "it has no time")
            .gone("audit-keeps-lengths")
            .caught_by("runtime::audit::a_wait_that_ends_before_its_place_is_known", ALL),
    ]
}

fn events() -> Vec<Row> {
    vec![
        row("a logger is not stopped", "the shield around it")
            .gone("logger-is-not-stopped")
            .caught_by("features::events::a_request_and_a_stop", ALL),
        row("a logger is in no region", "whether the thread is in one")
            .change(
                "logger-is-in-no-region",
                "record.region.is_open()",
                "{ let _ = record; false }",
            )
            .caught_by("features::events::a_region_is_told_of_when_it_has_been_left", ALL),
        row("a stop is told once in a scope", "it is told with every call")
            .never("stop-is-told-once")
            .caught_by("features::events::a_request_and_a_stop", ALL),
        row("a request is told once", "each thread tells of it")
            .change("request-is-told-once", "& TOLD == 0", "& 0 == 0")
            .caught_by("features::events::a_request_of_many_is_told_once", ALL),
    ]
}
