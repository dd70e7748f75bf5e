//! The thread's own record, from its first call to its end; scopes, shields.

use super::{ALL, RSEQ, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    [registration(), holders(), scopes()].into_iter().flatten().collect()
}

fn registration() -> Vec<Row> {
    vec![
        row("a request is seen to the very end of the thread", "what comes after the record")
            .change(
                "request-seen-until-thread-ends",
                "current.left_requested.set(look::is_stopped(&record.own))",
                "{ let _ = (&record, current); }",
            )
            .caught_by("runtime::thread_keys::a_request_is_seen_to_the_very_end", ALL),
        row("a record is not used after its thread's end", "the window goes on with it")
            .gone("record-not-used-after-end")
            .caught_by(
                "runtime::reused_records::the_next_thread_has_it_alone",
                &["rseq", "handler"],
            ),
        row("a thread has its record in every round of destructors", "two are enough")
            .becomes("record-in-every-destructor-round", "const ROUNDS: u32 = 2;")
            .caught_by("runtime::registration::a_late_destructor_is_stopped_by_an_old_handle", ALL),
        row("it has not ended before the last of them", "it is said after the second")
            .becomes("record-in-every-destructor-round", "const ROUNDS: u32 = 2;")
            .caught_by(
                "runtime::registration::a_join_keeps_its_limit_while_late_destructors_run",
                ALL,
            ),
        row("a thread asks no dynamic loader", "it does each time")
            .before("thread-asks-no-dynamic-loader", "ask_libc();")
            .caught_by("runtime::registration::no_thread_waits_for_the_dynamic_loader", RSEQ),
        row("the first marked call takes a record into use", "the thread's start does")
            .change(
                "first-call-takes-record",
                "(record);",
                "(record);\n        attach::registered();",
            )
            .caught_by(
                "runtime::registration::a_thread_may_mask_all_signals_before_its_first_marked_call",
                &["rseq", "handler"],
            ),
        row("an allocator may make marked calls", "what stands in for a record")
            .change("allocator-may-make-marked-calls", "replace(true)", "replace(false)")
            .caught_by("allocator::it_may_be_what_installs_the_runtime_and_registers_threads", ALL),
    ]
}

fn holders() -> Vec<Row> {
    vec![
        row("a shield holds also the requests to a thread that registers in it", "its bit is not set")
            .never("shield-holds-while-registering")
            .caught_by(
                "runtime::lifecycle_held::a_request_does_not_disturb_a_thread_that_is_new_in_a_shield",
                ALL,
            ),
        row("the outermost shield holds", "the innermost ends it")
            .change("outermost-shield-holds", "None if left == 0 => record.clear_visible(),", "None => record.clear_visible(),\n                #[allow(unreachable_patterns)]")
            .caught_by("runtime::lifecycle_held::a_request_does_not_disturb_a_thread_that_is_new_in_a_shield", ALL),
        row("a panic ends the shield", "it is left only in the end")
            .change("panic-ends-shield", "_shield = Shield::enter();\n    f()", "shield = core::mem::ManuallyDrop::new(Shield::enter());\n    let result = f();\n    drop(core::mem::ManuallyDrop::into_inner(shield));\n    result")
            .caught_by("runtime::lifecycle_held::a_panic_ends_the_shield", ALL),
        row("a thread that registers has the signal unblocked", "its mask stays")
            .gone("registering-unblocks-signal")
            .caught_by("runtime::lifecycle::a_thread_that_registers_has_the_signal_unblocked", ALL),
        row(
            "a request made before the thread runs is seen",
            "the thread makes a record of its own",
        )
        .becomes("first-call-takes-record", "let _ = (attach::start as fn(_), record);")
        .caught_by("runtime::lifecycle::a_request_before_the_thread_runs", ALL),
        row("a thread that waits for another is told of its end", "the wake-up")
            .never("join-told-of-end")
            .caught_by("runtime::lifecycle_held::a_joining_thread_is_told_of_the_end", ALL),
        row(
            "where libc has not registered rseq, its area is not used",
            "neither its size nor its core is looked at",
        )
        .always("unregistered-area-not-used")
        .change("unregistered-area-not-used-2", "registered", "(registered || true)")
        .caught_by("races::own_rseq::the_runtime_registers_and_takes_it_back", RSEQ),
        row("nor where other code has taken it back", "its core is not looked at")
            .change("unregistered-area-not-used-2", "registered", "(registered || true)")
            .caught_by("races::own_rseq::an_area_that_other_code_has_taken_back_is_not_used", RSEQ),
        row(
            "an area of our own is taken back before it goes with its thread",
            "it stays registered",
        )
        .becomes("own-area-taken-back", "let _ = rseq::unregister as fn();")
        .caught_by("races::own_rseq::the_runtime_registers_and_takes_it_back", RSEQ),
        row("and after the proof", "it stays registered")
            .becomes("probe-area-taken-back", "let _ = owned;")
            .caught_by("races::own_rseq::the_runtime_registers_and_takes_it_back", RSEQ),
    ]
}

fn scopes() -> Vec<Row> {
    vec![
        row("the threads of a group stand under it", "each stands alone")
            .change("threads-stand-under-their-group", "&self.stopper", "&Stopper::new()")
            .caught_by("runtime::group::a_request_stops_its_threads_and_those_to_come", ALL),
        row("a group that is dropped is stopped", "it only waits")
            .gone("group-dropped-stops")
            .caught_by("runtime::group::dropping_it_stops_and_joins", ALL),
        row("a group is joined where it has ended", "it is joined at once")
            .gone("join-all-finds-ended-first")
            .caught_by("runtime::group::a_stopped_join_leaves_the_group_whole", ALL),
        row("a scope whose closure panics stops its threads", "the requests")
            .becomes("panicking-closure-stops-threads", "let leave = Box::new(());")
            .caught_by("runtime::scopes::a_scope_that_panics_stops_its_threads", ALL),
        row("a scope one of whose threads panics stops the others", "the requests")
            .becomes("panicking-thread-stops-others", "let leave = core::mem::ManuallyDrop::new(StopOnPanic(&scope.stopper));")
            .caught_by("runtime::scopes::a_thread_that_panics_stops_its_siblings", ALL),
        row("a scope is stopped by a panic of its own alone", "whose panic it is")
            .change("only-own-panic-stops", "mem::forget", "(if std::thread::panicking() { drop } else { mem::forget })")
            .caught_by(
                "runtime::scopes::a_scope_of_a_destructor_is_not_stopped_by_the_panic_that_runs_it",
                ALL,
            ),
        row("a scope of threads stands under what encloses it", "it stands alone")
            .change("scope-of-threads-stands-under", "Some(record) => joined(record, NEVER)", "Some(_) => ScopeRef::new([], NEVER)")
            .caught_by("runtime::scopes::a_stop_of_the_waiting_thread_is_handed_on", ALL)
            .caught_by("jobs::requests::a_scope_of_threads_stands_under_what_encloses_it", ALL),
        row("its threads stand under it", "each stands alone")
            .change("threads-stand-under-their-scope", "&scope.stopper", "&Stopper::new()")
            .caught_by(
                "runtime::lifecycle_held::a_thread_that_comes_when_the_scope_is_requested_is_stopped_too",
                ALL,
            ),
    ]
}
