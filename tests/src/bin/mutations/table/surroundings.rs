//! What holds in hostile surroundings: other libraries, other people's signals,
//! no room on the stack, no registration.

use super::{ALL, ITSELF, PPOLL, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a foreign signal reaches its handler while a claim stays open", "it may be ours")
            .change("foreign-signal-reaches-handler", "&& record.claim.expects()", "")
            .caught_by(
                "hostile::replaced::an_earlier_handler_misses_nothing_without_membarrier",
                WINDOWS,
            ),
        row("the handler touches nothing that has to be made first", "it does")
            .change("handler-touches-no-lazy-state", "record_by_key", "record")
            .caught_by("built::linking::images::a_stray_takes_no_memory", WINDOWS),
        row("the handler knows a thread whose key is about to be put back", "the spare key")
            .change("handler-knows-ending-thread", ".or_else(|| value(&SPARE))", "")
            .caught_by("races::requester_steps::of_a_thread_that_ends", WINDOWS),
        row("the handler knows a thread whose key is about to be put back", "only once")
            .becomes("spare-value-put-back", "let _ = value;")
            .caught_by("races::requester_steps::of_a_thread_that_ends", WINDOWS),
        row("the signals of a shutdown are handled one by one", "none is blocked")
            .change("shutdown-signals-one-by-one", "sigfillset", "sigemptyset")
            .caught_by(
                "runtime::shutdown::of_signals_that_come_at_once_each_is_handled_by_itself",
                ALL,
            ),
        row("marked calls have the stack to its end", "`SA_ONSTACK`")
            .change("stray-signal-ends-no-call", "SA_ONSTACK | libc::", "")
            .caught_by("hostile::stacks::at_the_end_of_the_stack", WINDOWS),
        row("a library that is closed leaves no dangling handler", "it goes")
            .becomes("closed-library-leaves-no-handler", "let _ = image::stay as fn(_);")
            .caught_by("built::linking::images::a_library_that_is_closed_stays", ALL),
        row("where libc has registered nothing, the runtime does", "nothing does")
            .change(
                "runtime-registers-area",
                "register().map(|field| (field, true))",
                "{ let _ = register as fn() -> _; Err(libc::ENOSYS) }",
            )
            .caught_by("hostile::registration::without_the_registration_of_the_libc", ITSELF),
        row("without shared libraries libc's area is found too", "there are no names to look up")
            .change(
                "static-libcs-area-found",
                r#""mov {offset}, qword ptr [rip + __rseq_offset@GOTPCREL]""#,
                r#""xor {offset:e}, {offset:e}""#,
            )
            .caught_by("built::linking::builds::however_it_is_built_it_stops", ITSELF),
        row("the kernel aborts windows by itself", "it is not told of them")
            .change(
                "kernel-aborts-windows-by-itself",
                "rseq_cs.unwrap_or((self.descriptor.as_ptr().cast(), false))",
                "{ let _ = rseq_cs; (self.descriptor.as_ptr().cast(), false) }",
            )
            .caught_by("hostile::aborts::under_migration_without_any_signal", &["rseq"])
            .caught_by(
                "hostile::replaced::a_foreign_handler_that_restarts_leaves_all_except_rseq_waiting",
                &["rseq"],
            ),
        row("a look at readiness that a signal interrupts is made again", "it has seen an error")
            .gone("interrupted-look-repeated")
            .caught_by(
                "hostile::traced::every_other_system_call_met_by_a_signal_that_restarts",
                PPOLL,
            )
            .caught_by(
                "hostile::traced::every_other_system_call_met_by_a_signal_that_interrupts",
                PPOLL,
            ),
    ]
}
