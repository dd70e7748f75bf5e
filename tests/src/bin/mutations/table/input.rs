//! Standard input, and what is received as a whole.

use super::{PPOLL, RSEQ, Row, row};

const STDIN: &str = "ext/io/stdin.rs";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the wait for a turn on standard input is stop-checked", "it is plain")
            .edit(STDIN, "get_or_make().lock_or_stop()?", "get_or_make().lock()")
            .caught_by("ext::standard_input::who_waits_for_its_turn_is_stopped", RSEQ),
        row("the turn is held for a whole call", "it is left after each part")
            .edit(
                STDIN,
                "let turn = if let Some(turn) = self.0.take() {",
                "self.0 = None;\n        std::thread::yield_now();\n        let turn = if let Some(turn) = self.0.take() {",
            )
            .caught_by("ext::standard_input::a_line_that_comes_in_parts_is_not_torn", RSEQ),
        row("a stopped loop puts a part of a line back", "it drops it")
            .edit("ext/io/bufread.rs", "if self.take_back(&part[start..]) {", "if false {")
            .caught_by("ext::standard_input::a_stopped_loop_leaves_the_line_whole", RSEQ),
        row("a standard input that is closed is empty", "it is an error")
            .edit(STDIN, "== Some(libc::EBADF) => Ok(0)", "== Some(libc::EBADF) => Err(error)")
            .caught_by("ext::standard_input::a_closed_one_is_empty", RSEQ),
        row("`MSG_WAITALL` waits for all of it", "one attempt is all")
            .edit("ppoll/transfer.rs", "flags & libc::MSG_WAITALL != 0 &&", "false &&")
            .caught_by("waits::ppoll_edges::waitall_waits_for_all_of_it", PPOLL),
        row("and leaves what has come at a stop", "the stop is reported")
            .edit("ppoll/transfer.rs", "outcome if done == 0 =>", "outcome if done == 0 || outcome.is_err() =>")
            .caught_by("waits::ppoll_edges::waitall_waits_for_all_of_it", PPOLL),
        row("where poll refuses one descriptor, select waits", "the refusal is an error")
            .edit("ext/syscall/ready.rs", "if raw == REFUSED {", "if raw == REFUSED && false {")
            .caught_by("hostile::descriptors::every_kind_of_wait_is_stopped", RSEQ),
        row("also on ppoll", "the refusal is an error")
            .edit("ppoll/wait.rs", "if raw != REFUSED {\n        return Ok(raw);\n    }\n    let mut one", "if raw != REFUSED || true {\n        return Ok(raw);\n    }\n    let mut one")
            .caught_by("hostile::descriptors::every_kind_of_wait_is_stopped", PPOLL),
    ]
}
