//! Standard input, and what is received as a whole.

use super::{PPOLL, RSEQ, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the wait for a turn on standard input is stop-checked", "it is plain")
            .change("stdin-turn-stop-checked", "lock_or_stop()?", "lock()")
            .caught_by("ext::standard_input::a_thread_that_waits_for_its_turn_is_stopped", RSEQ),
        row("the turn is held for a whole call", "it is left after each part")
            .before("turn-held-for-whole-call", "self.0 = None;\n        std::thread::yield_now();")
            .caught_by("ext::standard_input::a_line_that_comes_in_parts_is_not_torn", RSEQ),
        row("a stopped loop puts a part of a line back", "it drops it")
            .condition("stopped-loop-puts-part-line", "false")
            .caught_by("ext::standard_input::a_stopped_loop_leaves_the_line_whole", RSEQ),
        row("a standard input that is closed is empty", "it is an error")
            .change(
                "standard-input-closed-empty",
                "(libc::EBADF) => Ok(0)",
                "(libc::EBADF) => Err(error)",
            )
            .caught_by("ext::standard_input::a_closed_one_is_empty", RSEQ),
        row("where poll refuses one descriptor, select waits", "the refusal is an error")
            .never("where-poll-refuses-select")
            .caught_by("hostile::descriptors::every_kind_of_wait_is_stopped", RSEQ),
        row("also on ppoll", "the refusal is an error")
            .always("ppoll-where-poll-refuses-select")
            .caught_by("hostile::descriptors::every_kind_of_wait_is_stopped", PPOLL),
    ]
}
