//! Ending a program by signals, and reloads.

use super::{ALL, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the first signal stops the root scope", "it is counted, and no more")
            .gone("first-signal-stops-root")
            .caught_by("runtime::shutdown::main_in_a_plain_join_ends_with_its_threads", ALL),
        row("the second signal goes cold", "it is counted, and no more")
            .never("second-signal-goes-cold")
            .caught_by("runtime::shutdown::the_second_signal_goes_cold", ALL),
        row("what is registered runs when it goes cold", "it is dropped")
            .becomes("cold-runs-its-actions", "drop(action);")
            .caught_by("runtime::shutdown::the_second_signal_goes_cold", ALL),
        row("the exit code of a cold end is 128 + the number", "the number")
            .change("cold-exit-code", "128 + ", "")
            .caught_by("runtime::shutdown::the_second_signal_goes_cold", ALL),
        row("the limit goes cold", "it passes")
            .never("limit-goes-cold")
            .caught_by("runtime::shutdown::the_limit_goes_cold", ALL),
        row("the third signal ends the process", "it counts, and no more")
            .never("third-signal-ends-process")
            .caught_by("runtime::shutdown::the_third_signal_kills", ALL),
        row("a reload is no third signal", "it is")
            .change("third-signal-ends-process", " && !is_reload(signal)", "")
            .caught_by(
                "runtime::shutdown::reload::a_reload_does_nothing_once_the_program_is_to_stop",
                ALL,
            ),
        row("a reload stops what runs", "it does not").gone("reload-stops-its-run").caught_by(
            "runtime::shutdown::reload::it_is_run_again_until_the_program_is_to_stop",
            ALL,
        ),
        row("what runs next is stopped by the next reload", "it runs under the same scope")
            .becomes("reload-makes-another-scope", "let before = run.clone();")
            .caught_by(
                "runtime::shutdown::reload::it_is_run_again_until_the_program_is_to_stop",
                ALL,
            ),
        row("a signal for a report is none of the three", "it is one")
            .change("reports-do-not-count", "is_owner && is_report(signal)", "false")
            .caught_by("runtime::shutdown::reports::a_report_while_the_program_ends", ALL),
        row("what is asked for is reported", "it is not")
            .gone("asked-reports-are-made")
            .caught_by("runtime::shutdown::reports::each_signal_is_answered", ALL),
        row("what was there comes back with the end of the guard", "our handlers stay")
            .gone("handlers-restored")
            .caught_by("runtime::shutdown::after_the_guard_the_actions_are_those_of_before", ALL),
        row("a signal counts until a stopped program has ended", "until `run` returns")
            .never("signals-count-to-the-end")
            .caught_by(
                "runtime::shutdown::a_signal_that_comes_when_main_has_returned_goes_cold",
                ALL,
            ),
    ]
}
