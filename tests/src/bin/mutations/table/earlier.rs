//! What the signal did before, other copies of the runtime, and forked children.

use super::{ALL, ITSELF, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    [flags(), called(), ends(), others(), forked()].into_iter().flatten().collect()
}

fn flags() -> Vec<Row> {
    vec![
        row("a stray signal ends no call that can go on", "`SA_RESTART`")
            .change("stray-signal-ends-no-call", "| libc::SA_RESTART", "")
            .caught_by("signals::strays::strays_end_nothing_and_reach_the_earlier_handler", WINDOWS),
        row("a handler that wants the alternate stack has it", "`SA_ONSTACK`")
            .change("stray-signal-ends-no-call", "SA_ONSTACK | libc::", "")
            .caught_by(
                "signals::earlier_handler::it_runs_on_the_alternate_stack_and_its_signals_are_blocked",
                ALL,
            ),
        row("and one that does not has the thread's own, and ends calls", "ours has our flags")
            .becomes("earlier-handlers-own-flags", "let flags = INHERITED;")
            .caught_by("signals::earlier_flags::one_without_an_alternate_stack_has_the_threads_own", ALL)
            .caught_by(
                "signals::earlier_flags::one_without_restarts_ends_a_plain_call_and_a_stop_ends_a_marked_one",
                ALL,
            ),
        row("children that were not to be reaped are not", "`SIGCHLD` has our flags")
            .change("children-not-reaped", "libc::SA_NOCLDWAIT", "0")
            .caught_by("signals::earlier_flags::children_that_were_not_to_be_reaped_are_not", ALL),
    ]
}

fn called() -> Vec<Row> {
    vec![
        row("the handler before ours blocks what it blocked, and no more", "our mask")
            .condition("earlier-handlers-mask", "window::AVAILABLE")
            .caught_by(
                "signals::earlier_flags::during_one_its_mask_is_blocked_and_the_threads_and_no_other",
                ALL,
            ),
        row("its own signal among it, unless it wants that", "`SA_NODEFER`")
            .condition("earlier-handlers-nodefer", "true")
            .caught_by("signals::earlier_flags::and_not_its_own_signal_if_it_does_not_want_that", ALL),
        row("one that is to run once runs once", "`SA_RESETHAND`")
            .change("handler-to-run-once", "earlier.spent.swap(true, Ordering::Relaxed)", "earlier.spent.swap(false, Ordering::Relaxed)")
            .caught_by("signals::earlier_flags::one_that_is_to_run_once_runs_once", ALL),
        row("no handler is called where the signal was ignored", "the look for `SIG_IGN`")
            .condition("ignored-signal-calls-no-handler", "action.sa_sigaction == libc::SIG_IGN && signal == 0")
            .caught_by("signals::earlier_handler::none_and_a_signal_that_is_ignored_are_no_handlers", ALL),
    ]
}

fn ends() -> Vec<Row> {
    vec![
        row("a default action that ends the process ends it", "it is swallowed")
            .change("default-action-ends-process", "if may_end {", "if may_end && signal == 0 {")
            .caught_by(
                "signals::earlier_flags::a_default_action_that_ends_the_process_ends_it",
                ALL,
            ),
        row(
            "over the limit of pending signals ours is known as ours",
            "what has no siginfo is foreign",
        )
        .becomes(
            "no-siginfo-still-ours",
            "{ let _ = siginfo::is_bare as unsafe fn(_) -> _; (from_here, probe) }",
        )
        .caught_by(
            "signals::signals_merged::over_the_limit_a_request_reaches_no_earlier_handler",
            ALL,
        ),
        row("nor is it foreign where its number cannot be sent", "what has none is foreign")
            .becomes(
                "no-siginfo-still-ours",
                "{ let _ = from_here; (siginfo::is_bare(info), probe) }",
            )
            .caught_by("signals::signals_merged::nor_without_its_number", ALL),
    ]
}

fn others() -> Vec<Row> {
    vec![
        row("two copies that share a signal agree about it", "they do not know each other")
            .change("two-copies-agree", "SA_SIGINFO !", "SA_SIGINFO =")
            .caught_by(
                "built::linking::backends::ppoll_is_refused_after_windows_and_the_default_follows",
                ITSELF,
            )
            .caught_by(
                "built::linking::backends::windows_are_refused_after_ppoll_and_the_default_follows",
                ITSELF,
            ),
        row("a program with others' rights does not look at the environment", "`AT_SECURE`")
            .change(
                "setuid-ignores-environment",
                "{ libc::getauxval(libc::AT_SECURE) } != 0;",
                "{ libc::getauxval(libc::AT_SECURE) } == 1 << 20;",
            )
            .caught_by(
                "runtime::environment::a_program_with_others_rights_does_not_look_at_the_environment",
                ITSELF,
            ),
        row(
            "a backend in the environment that is not to be had ends no program",
            "the default is not tried",
        )
        .becomes("unavailable-backend-in-environment", "Err(error)")
        .caught_by("runtime::environment::an_unknown_name_ends_no_thread_that_is_started", ITSELF),
    ]
}

fn forked() -> Vec<Row> {
    vec![
        row("a child has turns and locks of its own", "its parent's, which other threads hold")
            .becomes("child-has-own-locks", "let _ = place;")
            .gone("child-has-own-locks-2")
            .caught_by(
                "runtime::forked::an_installation_begun_by_another_thread_of_the_parent_is_made_anew",
                ALL,
            ),
        row("a child that libc has not made is stopped", "it is not known as one")
            .becomes("raw-child-known", "page().settled.load(Ordering::Acquire) == 2")
            .caught_by("runtime::forked::a_child_is_stopped_however_it_was_made", ALL),
        row("and waits for no requester of the parent's", "what was in flight is waited for")
            .change("raw-child-waits-for-no-requester", "own_after_raw_fork();\n        self.", "")
            .caught_by("races::held_requester::nor_does_a_child_that_libc_has_not_made_wait", WINDOWS),
    ]
}
