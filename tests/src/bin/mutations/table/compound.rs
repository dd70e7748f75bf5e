//! Calls of more than one system call: commands, copies, stop channels.

use super::{ALL, PPOLL, RSEQ, Row, row};

const COMMAND: &str = "ext/process/command.rs";
const COPY: &str = "ext/io/copy/pieces.rs";
const SOURCES: &str = "ext/io/copy/descriptor.rs";
const RAW: &str = "ext/io/copy/no_wait.rs";
const REQUEST: &str = "runtime/scopes/request.rs";
const WATCH: &str = "crossbeam/helper.rs";

pub(crate) fn rows() -> Vec<Row> {
    [commands(), copies(), stop_channels()].into_iter().flatten().collect()
}

fn commands() -> Vec<Row> {
    const OUTLIVES: &str =
        "ext::children::stopped::a_child_of_output_or_status_does_not_outlive_the_stop";
    vec![
        row("a stopped `output` or `status` kills its child", "the signal")
            .edit(COMMAND, "self.0.kill()?;", "")
            .caught_by(OUTLIVES, ALL),
        row("and reaps it", "the wait, also that of who drops it")
            .edit(
                COMMAND,
                "        // Only for as long as the kernel takes to end it.
        self.0.wait()",
                "        Ok(ExitStatus::from_raw(libc::SIGKILL))",
            )
            .edit(COMMAND, "let _ = self.end();", "")
            .caught_by(OUTLIVES, ALL),
        row("a child that had ended by itself is no stop", "it is one")
            .edit(
                COMMAND,
                "Ok(status) if status.signal() == Some(libc::SIGKILL) => Err(stopped),",
                "Ok(_) => Err(stopped),",
            )
            .caught_by("ext::children::in_fork::a_child_that_has_ended_by_itself_is_no_stop", ALL),
        row("nor one whose output is still to be read", "it is one")
            .edit(
                COMMAND,
                "Ok(_) if !child.is_hung_up() => return",
                "Ok(_) if !child.is_hung_up() || true => return",
            )
            .caught_by(
                "ext::children::in_fork::a_child_that_has_ended_with_its_output_unread_is_no_stop",
                ALL,
            ),
        row("a child has the stop signal open", "it inherits the mask")
            .edit(
                COMMAND,
                "let _open = SignalOpen::where_blocked();",
                "let _ = SignalOpen::where_blocked as fn() -> _;",
            )
            .caught_by("ext::children::std_shape::the_child_has_the_stop_signal_open", PPOLL),
        row("and its parent blocked, as before", "it stays open")
            .edit(
                COMMAND,
                "if self.0 {\n            signal::set_mask(libc::SIG_BLOCK);",
                "if self.0 && false {\n            signal::set_mask(libc::SIG_BLOCK);",
            )
            .caught_by("ext::children::std_shape::the_child_has_the_stop_signal_open", PPOLL),
    ]
}

fn copies() -> Vec<Row> {
    const FULL: &str = "ext::copy::blocked::every_source_outlives_a_full_writer";
    const RANDOM: &str = "ext::copy::random::every_byte_arrives_once";
    vec![
        row("what a stopped copy has not written comes again: a file", "it is not moved back")
            .edit(
                SOURCES,
                "left => no_wait::seek_back(self.0, left),",
                "_ => { let _ = no_wait::seek_back as fn(_, _) -> _; Ok(()) }",
            )
            .caught_by(FULL, RSEQ),
        row("a pipe is copied from where tee(2) is refused", "it is not tried")
            .edit(SOURCES, "no_wait::duplicate(descriptor, write.as_raw_fd(), 0)?;", "")
            .caught_by("ext::copy::edges::a_pipe_is_copied_from_where_a_filter_refuses_tee", ALL),
        row("a pipe is copied from where splice(2) is refused", "it is not tried")
            .edit(SOURCES, "no_wait::take(descriptor, write.as_raw_fd(), 0)?;", "")
            .caught_by(
                "ext::copy::edges::a_pipe_is_copied_from_where_a_filter_refuses_splice",
                ALL,
            ),
        row("what a stopped copy has not written comes again: a socket", "`MSG_PEEK`")
            .edit(
                SOURCES,
                "stop_checked::recv(self.0, piece, libc::MSG_PEEK)",
                "stop_checked::recv(self.0, piece, 0)",
            )
            .edit(
                SOURCES,
                "no_wait::receive(self.0, &mut piece[..written])",
                "{ let _ = (no_wait::receive as fn(_, &mut [u8]) -> _, piece, written); Ok(()) }",
            )
            .caught_by(FULL, RSEQ),
        row(
            "what a stopped copy has not written comes again: a pipe",
            "it is not duplicated but moved",
        )
        .edit(SOURCES, "match no_wait::duplicate(", "match no_wait::take(")
        .edit(SOURCES, "let mut taken = 0;", "let mut taken = written;")
        .caught_by(FULL, RSEQ),
        row("and what it has written does not: a socket", "it is not taken")
            .edit(
                SOURCES,
                "no_wait::receive(self.0, &mut piece[..written])",
                "{ let _ = (no_wait::receive as fn(_, &mut [u8]) -> _, piece, written); Ok(()) }",
            )
            .caught_by(FULL, RSEQ),
        row(
            "a socket with a place of its own to look at is not looked at",
            "the look at `SO_PEEK_OFF`",
        )
        .edit(RAW, "&& option(descriptor, libc::SO_PEEK_OFF).is_none_or(|offset| offset < 0)", "")
        .caught_by(
            "ext::copy::edges::a_socket_with_a_place_of_its_own_to_look_at_is_copied_whole",
            RSEQ,
        ),
        row("what cannot be given back is read when there is room for it", "it is read at once")
            .edit(
                COPY,
                "if !source.gives_back()\n        && let",
                "if !source.gives_back() && false\n        && let",
            )
            .caught_by(FULL, RSEQ),
        row("and written before a stop is seen", "the shield")
            .edit(
                COPY,
                "let _shield = (!gives_back).then(Shield::enter);",
                "let _ = Shield::enter as fn() -> _;",
            )
            .caught_by(RANDOM, RSEQ),
    ]
}

fn stop_channels() -> Vec<Row> {
    vec![
        row("a request disconnects a stop channel", "the helper is not told")
            .edit(
                REQUEST,
                "crate::crossbeam::helper::notify();",
                "let _ = crate::crossbeam::helper::notify as fn();",
            )
            .caught_by("features::crossbeam::stop_channel::a_request_ends_a_select", ALL),
        row("also one that is just being made", "the look at the flag")
            .edit(
                WATCH,
                "if entries::is_stopped(&thread.own) {",
                "if entries::is_stopped(&thread.own) && false {",
            )
            .caught_by(
                "features::crossbeam::helper::a_request_while_the_channel_is_made_is_not_lost",
                RSEQ,
            ),
        row("the end of a thread disconnects its stop channels", "they stay")
            .edit(
                WATCH,
                "watch.disconnect(|entry| entry.record == *record);",
                "let _ = (watch, record);",
            )
            .caught_by(
                "features::crossbeam::stop_channel::it_disconnects_with_the_end_of_the_thread",
                RSEQ,
            ),
        row("a forked child has a helper of its own", "its parent's, which is not there")
            .edit(
                "runtime/process.rs",
                "place.store(null_mut(), Ordering::Relaxed);",
                "let _ = place;",
            )
            .edit("runtime/process.rs", "libc::madvise(made, size, libc::MADV_WIPEONFORK);", "")
            .caught_by(
                "features::crossbeam::stop_channel::a_forked_child_has_channels_of_its_own",
                RSEQ,
            ),
        row("a stop is no interruption, which loops of std would go on after", "the kind of error")
            .edit(
                "scope/stopped.rs",
                "io::Error::other(Inside(stopped))",
                "io::Error::new(io::ErrorKind::Interrupted, Inside(stopped))",
            )
            .caught_by("ext::std_semantics::a_stop_ends_the_loops_of_std", ALL),
    ]
}
