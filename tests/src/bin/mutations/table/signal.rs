//! The handler, what it is installed with, and how signals are sent.

use super::{ALL, HANDLER, ITSELF, PPOLL, RSEQ, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    [handler(), installed(), sent()].into_iter().flatten().collect()
}

fn handler() -> Vec<Row> {
    vec![
        row("the handler sends what it interrupts in a window to `abort`", "the change of the pc")
            .becomes("handler-diverts", "Place::Inside(_) => { let _ = set_program_counter as unsafe fn(_, _); }")
            .caught_by("races::window_steps::a_request_at_each_instruction", HANDLER),
        row("a foreign handler on top of a window: ours comes back after it", "the signal to itself")
            .becomes("foreign-handler-on-top-window", "let _ = crate::runtime::record::Record::send_again;")
            .caught_by("signals::foreign_handlers::one_that_blocks_itself_with_restart", HANDLER)
            .caught_by("races::window_steps::a_waiting_handler_at_each_instruction", HANDLER),
        row("and not before it has returned", "the signal is not blocked meanwhile")
            .gone("blocked-under-foreign-handler")
            .caught_by("signals::foreign_handlers::one_that_spins_with_restart", WINDOWS),
        row("nor outside of a marked call", "whatever the marker says")
            .change("no-diversion-outside-call", "Place::Outside if record.line.marker.load(Relaxed) != 0 => {", "Place::Outside => { let _ = Relaxed;")
            .caught_by("races::left_behind::without_membarrier_unmarked_code_keeps_its_mask", WINDOWS),
        row("one signal a stop: on an edge the flag is looked at anyway", "an edge is outside")
            .change("no-diversion-outside-call", ":Outside", ":Edge | Place::Outside")
            .caught_by("signals::undisturbed_traced::a_stopped_read_takes_one_signal", WINDOWS),
        row("one signal a stop: without windows there is nothing to divert", "it is diverted")
            .condition("one-signal-without-windows", "true")
            .caught_by("signals::undisturbed_traced::a_stopped_read_takes_one_signal", PPOLL),
        row("a signal is ours only while one is on its way", "the look at the claim")
            .change("signal-ours-while-claimed", ".filter(|record| record.claim.is_open())", "")
            .caught_by("signals::strays::strays_end_nothing_and_reach_the_earlier_handler", ALL),
        row("what is not ours goes to the handler before ours", "the call of it")
            .becomes("foreign-signal-passed-on", "{ let _ = (earlier::chain as unsafe fn(_, _, _, _), siginfo::is_stop as unsafe fn(_) -> _); }")
            .caught_by("signals::strays::strays_end_nothing_and_reach_the_earlier_handler", ALL),
        row("a request merged into a foreign signal arrives", "the look at the pc whatever siginfo says")
            .change("one-signal-without-windows", "if record", "if request && record")
            .caught_by(
                "signals::signals_merged::a_request_that_meets_a_pending_foreign_signal_is_not_lost_nor_is_that",
                HANDLER,
            ),
        row("and so does the foreign signal", "what comes with a request is taken for it")
            .becomes("foreign-signal-reaches-handler", "request = true;\n        let _ = unnumbered;")
            .caught_by(
                "signals::signals_merged::a_request_that_meets_a_pending_foreign_signal_is_not_lost_nor_is_that",
                ALL,
            ),
        row("the timer of the proof reaches no earlier handler", "it goes to the handler before ours")
            .change("probes-timer-not-passed-on", "if !(probe || request || tick)", "let _ = (probe, tick);\n    if !request")
            .caught_by("signals::strays::strays_end_nothing_and_reach_the_earlier_handler", RSEQ),
        row("the handler leaves `errno` alone", "it is not put back")
            .becomes("handler-leaves-errno-alone", "let _ = saved;")
            .caught_by("signals::earlier_handler::errno_is_as_before", ALL)
            .core(),
    ]
}

fn installed() -> Vec<Row> {
    vec![
        row("signals that faults raise, or that cannot be caught, are refused", "the list of them")
            .becomes("unusable-signals-refused", "{ let _ = REFUSED; (1..32).contains(&signal) }")
            .caught_by("runtime::config::a_refused_signal_changes_nothing", ITSELF),
        row("real-time signals are refused, which cannot always be sent", "the limit")
            .change("unusable-signals-refused", "(1..32).contains", "(1..65).contains")
            .caught_by("runtime::config::a_real_time_signal_is_refused", ALL),
        row("what an unavailable backend has installed is taken back", "the old handler again")
            .becomes("failed-installation-undone", "let _ = action::uninstall as fn();")
            .caught_by("runtime::config::after_an_unavailable_backend_another_can_be_installed", ITSELF),
        row("a backend is proved before it is used", "rseq is taken at its word")
            .becomes("backend-proved-before-used", "let found = { let _ = rseq_aborts as fn() -> Rseq; Rseq::Libc };")
            .caught_by("runtime::config::without_rseq_the_default_is_the_next_backend", ITSELF),
        row("a backend that does not work is refused", "it is installed")
            .change("broken-backend-refused", "filter(works)", "filter(|one| works(one) || true)")
            .caught_by("runtime::config::after_an_unavailable_backend_another_can_be_installed", ITSELF),
        row("an unknown backend is refused", "it is ignored")
            .becomes("unknown-backend-refused", "None => Ok(None)")
            .caught_by("runtime::environment::an_unknown_name_in_the_environment_is_refused", ITSELF),
        row("one configuration is installed", "the second one is, too")
            .change("second-configuration-refused", "if let Some(backend) = installed::backend() {\n            return Err", "if let Some(backend) = installed::backend().filter(|_| false) {\n            return Err")
            .caught_by("runtime::config::another_signal_can_be_chosen", ALL),
        row("one configuration is installed, of many at once", "the lock")
            .becomes("configuration-lock", "drop(hold());")
            .caught_by("runtime::config::of_many_that_install_at_once_one_does", ITSELF),
    ]
}

fn sent() -> Vec<Row> {
    vec![
        // That a request is lost then, `races::same_instant` sees on some machines, and the
        // model of the protocol (`tests/model`) every time.
        row("all threads pass a barrier before the marker is looked at", "membarrier(2)")
            .change("all-threads-pass-barrier-before", "all_pass().is_ok()", "true")
            .caught_by("signals::silence::a_scope_of_many_threads_takes_two_barriers", WINDOWS),
        row(
            "the process is registered for the barrier",
            "it is not, and every request is a signal",
        )
        .becomes("barrier-registered", "HAS_MEMBARRIER.store(has && false, Ordering::Relaxed);")
        .caught_by("signals::undisturbed::a_plain_read_sleeps_on", WINDOWS),
        row("without membarrier every request is a signal", "the marker is believed")
            .change(
                "without-membarrier-always-signals",
                "inside = !barrier ||",
                "_ = barrier;\n        let inside =",
            )
            .caught_by("signals::undisturbed::without_membarrier_a_request_is_a_signal", WINDOWS),
        row(
            "where the kernel has no memory for the barrier, another one",
            "every request is a signal",
        )
        .change("barrier-without-memory", "membarrier", "Err")
        .caught_by("signals::undisturbed::where_the_kernel_has_no_memory_for_a_barrier", WINDOWS),
        row("a forked child signals no thread of its parent", "the look at the process id")
            .condition("forked-child-spares-parents-threads", "process == 0")
            .caught_by("runtime::lifecycle::a_forked_child_has_threads_of_its_own", ALL),
        row("a request leaves `errno` alone: the signal", "it is not put back")
            .change("request-leaves-errno-alone-signal", "restore_errno(errno)", "let _ = errno")
            .caught_by("signals::without_system_calls::without_the_signal", ALL),
        row("a request leaves `errno` alone: the barrier", "it is not put back")
            .change("request-leaves-errno-alone-barrier", "restore_errno(errno)", "let _ = errno")
            .caught_by("signals::without_system_calls::without_membarrier_any_more", WINDOWS),
        row("without windows the signal is blocked again after a stop", "it stays open")
            .never("without-windows-blocked-again")
            .caught_by("races::left_behind::no_signal_and_no_change_of_the_mask", PPOLL),
    ]
}
