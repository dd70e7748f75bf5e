//! Calls of more than one system call: commands, copies, stop channels.

use super::{ALL, PPOLL, RSEQ, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    [commands(), copies(), stop_channels()].into_iter().flatten().collect()
}

fn commands() -> Vec<Row> {
    const OUTLIVES: &str =
        "ext::children::stopped::a_child_of_output_or_status_does_not_outlive_the_stop";
    vec![
        row("a stopped `output` or `status` kills its child", "the signal")
            .gone("stopped-output-or-status-kills")
            .caught_by(OUTLIVES, ALL),
        row("and reaps it", "both waits, the one in `drop` too")
            .becomes("killed-child-reaped", "Ok((ExitStatus::from_raw(libc::SIGKILL), is_whole))")
            .gone("killed-child-reaped-on-drop")
            .caught_by(OUTLIVES, ALL),
        row("a child's group ends with it", "the signal to it")
            .never("group-is-killed")
            .caught_by("ext::children::group::what_a_child_leaves_behind_is_killed", ALL),
        row("while its output is read too", "a grandchild that holds a pipe holds the call")
            .gone("group-ends-while-output-is-read")
            .caught_by("ext::children::group::output_ends_with_the_child", ALL),
        row("unless its number may be another's", "it is killed")
            .change("group-is-killed", " && self.has_ended(libc::WNOHANG).is_ok() && !self.reaped", "")
            .caught_by(
                "ext::children::group::the_group_of_a_child_that_other_code_has_reaped_is_left_alone",
                ALL,
            ),
        row("a child that had ended by itself is no stop", "it is one")
            .becomes("child-ended-is-no-stop", "Ok(_) => Err(stopped)")
            .caught_by("ext::children::in_fork::a_child_that_has_ended_by_itself_is_no_stop", ALL),
        row("nor one whose output is still to be read", "it is one")
            .always("child-with-unread-output")
            .caught_by(
                "ext::children::in_fork::a_child_that_has_ended_with_its_output_unread_is_no_stop",
                ALL,
            ),
        row("a child has the stop signal open", "it inherits the mask")
            .becomes("child-stop-signal-open", "let _ = SignalOpen::where_blocked as fn() -> _;")
            .caught_by("ext::children::std_shape::the_child_has_the_stop_signal_open", PPOLL),
        row("and its parent blocked, as before", "it stays open")
            .never("parent-stays-blocked")
            .caught_by("ext::children::std_shape::the_child_has_the_stop_signal_open", PPOLL),
    ]
}

fn copies() -> Vec<Row> {
    const FULL: &str = "ext::copy::blocked::every_source_outlives_a_full_writer";
    const RANDOM: &str = "ext::copy::random::every_byte_arrives_once";
    vec![
        row("what a stopped copy has not written comes again: a file", "it is not moved back")
            .becomes(
                "unwritten-copy-kept-file",
                "_ => { let _ = no_wait::seek_back as fn(_, _) -> _; Ok(()) }",
            )
            .caught_by(FULL, RSEQ),
        row("a pipe is copied from where tee(2) is refused", "it is not tried")
            .gone("pipe-copied-without-tee")
            .caught_by("ext::copy::edges::a_pipe_is_copied_from_where_a_filter_refuses_tee", ALL),
        row("a pipe is copied from where splice(2) is refused", "it is not tried")
            .gone("pipe-copied-without-splice")
            .caught_by(
                "ext::copy::edges::a_pipe_is_copied_from_where_a_filter_refuses_splice",
                ALL,
            ),
        row("what a stopped copy has not written comes again: a socket", "`MSG_PEEK`")
            .change("unwritten-copy-kept-socket", "libc::MSG_PEEK", "0")
            .becomes(
                "unwritten-copy-kept-socket-2",
                "{ let _ = (no_wait::receive as fn(_, &mut [u8]) -> _, piece, written); Ok(()) }",
            )
            .caught_by(FULL, RSEQ),
        row(
            "what a stopped copy has not written comes again: a pipe",
            "it is not duplicated but moved",
        )
        .change("unwritten-copy-kept-pipe", "duplicate", "take")
        .becomes("unwritten-copy-kept-pipe-moved", "let mut taken = written;")
        .caught_by(FULL, RSEQ),
        row("and what it has written does not: a socket", "it is not taken")
            .becomes(
                "unwritten-copy-kept-socket-2",
                "{ let _ = (no_wait::receive as fn(_, &mut [u8]) -> _, piece, written); Ok(()) }",
            )
            .caught_by(FULL, RSEQ),
        row(
            "a socket with a place of its own to look at is not looked at",
            "the look at `SO_PEEK_OFF`",
        )
        .gone("socket-with-peek-offset")
        .caught_by(
            "ext::copy::edges::a_socket_with_a_place_of_its_own_to_look_at_is_copied_whole",
            RSEQ,
        ),
        row("what cannot be given back is read when there is room for it", "it is read at once")
            .change(
                "peeked-read-when-there-is-room",
                "()\n        && let",
                "() && false\n        && let",
            )
            .caught_by(FULL, RSEQ),
        row("and written before a stop is seen", "the shield")
            .becomes("written-before-stop-seen", "let _ = Shield::enter as fn() -> _;")
            .caught_by(RANDOM, RSEQ),
    ]
}

fn stop_channels() -> Vec<Row> {
    vec![
        row(
            "a request has callbacks run, and stop channels disconnected",
            "the helper is not told",
        )
        .gone("request-disconnects-stop-channel")
        .caught_by("jobs::callbacks::a_callback_runs_once_on_another_thread", ALL),
        row("also one that is just being made", "the look at the scope")
            .change(
                "stop-channel-made-meanwhile",
                "} else if is_stopped(scope) {",
                "} else if number.0 == usize::MAX {",
            )
            .caught_by(
                "features::crossbeam::helper::a_request_while_the_channel_is_made_is_not_lost",
                RSEQ,
            ),
        row("the end of a thread disconnects its stop channels", "they stay")
            .becomes(
                "end-thread-disconnects-stop-channels",
                "let entries = (is_of, &mut list).1.entries.len();",
            )
            .caught_by(
                "features::crossbeam::stop_channel::it_disconnects_with_the_end_of_the_thread",
                RSEQ,
            ),
        row("a forked child has a helper of its own", "its parent's, which is not there")
            .becomes("child-has-own-locks", "let _ = place;")
            .gone("child-has-own-locks-2")
            .caught_by(
                "features::crossbeam::stop_channel::a_forked_child_has_channels_of_its_own",
                RSEQ,
            ),
        row("a stop is no interruption, which loops of std would go on after", "the kind of error")
            .becomes(
                "stop-is-not-interrupted-kind",
                "io::Error::new(io::ErrorKind::Interrupted, Inside(stopped))",
            )
            .caught_by("ext::std_semantics::a_stop_ends_the_loops_of_std", ALL),
    ]
}
