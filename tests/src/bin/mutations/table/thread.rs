//! The thread's own record, from its first call to its end; scopes, shields.

use super::{ALL, RSEQ, Row, row};

const FILE: &str = "runtime/current.rs";
const ENTRIES: &str = "runtime/scopes/entries.rs";
const SCOPE: &str = "thread/scope.rs";

pub(crate) fn rows() -> Vec<Row> {
    [registration(), holders(), scopes()].into_iter().flatten().collect()
}

fn registration() -> Vec<Row> {
    vec![
        row("a request is seen to the very end of the thread", "what comes after the record")
            .edit(
                FILE,
                "current.left_requested.set(entries::is_stopped(&record.own))",
                "{ let _ = (&record, current); }",
            )
            .caught_by("runtime::thread_keys::a_request_is_seen_to_the_very_end", ALL),
        row("a record is not used after its thread's end", "the window goes on with it")
            .edit(FILE, "CURRENT.with(|current| current.line.set(&raw const DIVERT));", "")
            .caught_by(
                "runtime::reused_records::the_next_thread_has_it_alone",
                &["rseq", "handler"],
            ),
        row("a thread has its record in every round of destructors", "two are enough")
            .edit(FILE, "const ROUNDS: u32 = 4;", "const ROUNDS: u32 = 2;")
            .caught_by("runtime::registration::a_late_destructor_is_stopped_by_an_old_handle", ALL),
        row("it has not ended before the last of them", "it is said after the second")
            .edit(FILE, "const ROUNDS: u32 = 4;", "const ROUNDS: u32 = 2;")
            .caught_by(
                "runtime::registration::a_join_keeps_its_limit_while_late_destructors_run",
                ALL,
            ),
        row("a thread asks no dynamic loader", "it does each time")
            .edit(
                "window/rseq.rs",
                "let offset = LIBC_OFFSET",
                "ask_libc();\n    let offset = LIBC_OFFSET",
            )
            .caught_by("runtime::registration::no_thread_waits_for_the_dynamic_loader", RSEQ),
        row("the first marked call takes a record into use", "the thread's start does")
            .edit(
                "thread/builder.rs",
                "current::start(record);",
                "current::start(record);\n        current::registered();",
            )
            .caught_by(
                "runtime::registration::a_thread_may_mask_all_signals_before_its_first_marked_call",
                &["rseq", "handler"],
            ),
        row("an allocator may make marked calls", "what stands in for a record")
            .edit(FILE, "current.stands_in.replace(true)", "current.stands_in.replace(false)")
            .caught_by("allocator::it_may_be_what_installs_the_runtime_and_registers_threads", ALL),
    ]
}

fn holders() -> Vec<Row> {
    vec![
        row("a shield holds also who registers in it", "its bit is not set")
            .edit(
                ENTRIES,
                "if is_shielded() {\n        record.hide_outer();",
                "if is_shielded() && false {\n        record.hide_outer();",
            )
            .caught_by(
                "runtime::lifecycle_held::in_a_shield_calls_begin_although_a_stop_is_requested",
                ALL,
            ),
        row("the outermost shield holds", "the innermost ends it")
            .edit(
                ENTRIES,
                "None if left == 0 => record.clear_visible(),",
                "None => record.clear_visible(),\n                #[allow(unreachable_patterns)]",
            )
            .caught_by("runtime::lifecycle_held::a_shield_holds_a_request", ALL),
        row("a panic ends the shield", "it is left only in the end")
            .edit(
                "scope/shield.rs",
                "let _shield = Shield::enter();\n    f()",
                "let shield = core::mem::ManuallyDrop::new(Shield::enter());
    let result = f();
    drop(core::mem::ManuallyDrop::into_inner(shield));
    result",
            )
            .caught_by("runtime::lifecycle_held::a_panic_ends_the_shield", ALL),
        row("who registers has the signal unblocked", "its mask stays")
            .edit(
                FILE,
                "signal::set_mask(if masked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK });",
                "",
            )
            .caught_by("runtime::lifecycle::a_thread_that_registers_has_the_signal_unblocked", ALL),
        row(
            "a request made before the thread runs is seen",
            "the thread makes a record of its own",
        )
        .edit(
            "thread/builder.rs",
            "current::start(record);",
            "let _ = (current::start as fn(_), record);",
        )
        .caught_by("runtime::lifecycle::a_request_before_the_thread_runs", ALL),
        row("who waits for a thread is told of its end", "the wake-up")
            .edit("runtime/record.rs", "== END_AWAITED {", "== END_AWAITED && false {")
            .caught_by("runtime::lifecycle_held::who_waits_for_a_thread_is_told_of_its_end", ALL),
        row(
            "where libc has not registered rseq, its area is not used",
            "neither its size nor its core is looked at",
        )
        .edit("window/rseq.rs", "if size != 0 {", "if size != 0 || true {")
        .edit("window/rseq.rs", "registered.then(||", "(registered || true).then(||")
        .caught_by("races::own_rseq::the_runtime_registers_and_takes_it_back", RSEQ),
        row("nor where somebody has taken it back", "its core is not looked at")
            .edit("window/rseq.rs", "registered.then(||", "(registered || true).then(||")
            .caught_by("races::own_rseq::an_area_that_somebody_has_taken_back_is_not_used", RSEQ),
        row(
            "an area of our own is taken back before it goes with its thread",
            "it stays registered",
        )
        .edit("runtime/record.rs", "rseq::unregister();", "let _ = rseq::unregister as fn();")
        .caught_by("races::own_rseq::the_runtime_registers_and_takes_it_back", RSEQ),
        row("and after the proof", "it stays registered")
            .edit(
                "runtime/probe.rs",
                "if owned {\n        window::rseq::unregister();\n    }",
                "let _ = owned;",
            )
            .caught_by("races::own_rseq::the_runtime_registers_and_takes_it_back", RSEQ),
    ]
}

fn scopes() -> Vec<Row> {
    vec![
        row("a scope whose closure panics stops its threads", "the requests")
            .edit(
                SCOPE,
                "let leave = StopOnPanic(&stopper);",
                "let leave = Box::new(());",
            )
            .caught_by("runtime::scopes::a_scope_that_panics_stops_its_threads", ALL),
        row("a scope one of whose threads panics stops the others", "the requests")
            .edit(
                SCOPE,
                "let leave = StopOnPanic(&scope.stopper);",
                "let leave = core::mem::ManuallyDrop::new(StopOnPanic(&scope.stopper));",
            )
            .caught_by("runtime::scopes::a_thread_that_panics_stops_its_siblings", ALL),
        row("a scope is stopped by a panic of its own alone", "whose panic it is")
            .edit(
                SCOPE,
                "mem::forget(leave);\n        value",
                "(if std::thread::panicking() { drop } else { mem::forget })(leave);\n        value",
            )
            .caught_by(
                "runtime::scopes::a_scope_of_a_destructor_is_not_stopped_by_the_panic_that_runs_it",
                ALL,
            ),
        row("a scope of threads stands under what encloses it", "it stands alone")
            .edit(ENTRIES, "Some(record) => joined(record, NEVER),", "Some(_) => ScopeRef::new([], NEVER),")
            .caught_by("runtime::scopes::a_stop_of_who_waits_is_handed_on", ALL)
            .caught_by("jobs::requests::a_scope_of_threads_stands_under_what_encloses_it", ALL),
        row("its threads stand under it", "each stands alone")
            .edit(SCOPE, "self.spawn_inside(scope.inner, &scope.stopper, f)", "self.spawn_inside(scope.inner, &Stopper::new(), f)")
            .caught_by(
                "runtime::lifecycle_held::a_thread_that_comes_when_the_scope_is_requested_is_stopped_too",
                ALL,
            ),
    ]
}
