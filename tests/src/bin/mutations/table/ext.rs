//! std's calls: what a foreign signal does to them, and what a stopped
//! one leaves.

use super::{ALL, RSEQ, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    [interrupted(), left(), looked_at_first(), of_another_thread(), as_std_has_it()]
        .into_iter()
        .flatten()
        .collect()
}

fn interrupted() -> Vec<Row> {
    const GOES_ON: &str = "waits::interrupted::readers_go_on";
    vec![
        row("`accept` goes on after a signal", "the loop")
            .never("accept-goes-on-after-signal")
            .caught_by("waits::interrupted::a_wait_for_a_peer_goes_on", WINDOWS),
        row("an interrupted `connect` is waited for", "it fails")
            .change("interrupted-connect-waited-for", "& address", "& false && address")
            .caught_by("waits::interrupted::a_wait_for_a_peer_goes_on", WINDOWS),
        row("an interrupted wait for readiness is none", "it is taken for ready")
            .change("interrupted-readiness-waits-again", "= raw > 0", "= raw != 0")
            .caught_by("waits::deadlines::signals_without_restart_move_none", WINDOWS),
        row("a sleep goes on after a signal", "the loop")
            .condition("sleep-on-flag", "false")
            .never("sleep-goes-on-after-signal")
            .caught_by("waits::deadlines::signals_without_restart_move_none", WINDOWS),
        row("to the same deadline", "for the whole time again")
            .condition("sleep-on-flag", "false")
            .change("same-deadline", "libc::TIMER_ABSTIME as usize", "0")
            .becomes(
                "same-deadline-2",
                "let _ = now as fn(_) -> _;\n    syscall::sleep_until(duration)",
            )
            .caught_by("waits::deadlines::signals_without_restart_move_none", ALL),
        row("the wait for a child goes on after a signal", "the loop")
            .always("wait-for-child-goes-on")
            .caught_by("waits::interrupted::a_wait_for_a_child_goes_on", WINDOWS),
        row("`read_exact` goes on after a signal", "it fails")
            .never("read-exact-goes-on-after")
            .caught_by(GOES_ON, WINDOWS),
        row("`read_to_end` goes on after a signal", "it fails")
            .always("read-end-goes-on-after")
            .caught_by(GOES_ON, WINDOWS),
        row("`write_all` goes on after a signal", "it fails")
            .never("write-all-goes-on-after")
            .caught_by("waits::interrupted::a_writer_goes_on", WINDOWS),
        row("`bytes` goes on after a signal", "it fails")
            .never("bytes-goes-on-after-signal")
            .caught_by(GOES_ON, WINDOWS),
    ]
}

fn left() -> Vec<Row> {
    vec![
        row("a stopped wait leaves the child to be reaped", "`WNOWAIT`")
            .becomes("stopped-wait-leaves-child-reaped", "let options = libc::WEXITED as usize;")
            .caught_by("waits::interrupted::a_wait_for_a_child_goes_on", ALL),
        row("a wait for a buffered socket's data takes none", "`MSG_PEEK`")
            .change("buffered-wait-takes-no-data", "libc::MSG_PEEK", "0")
            .caught_by("ext::std_semantics::after_its_time_out_a_buffered_socket_still_reads", ALL)
            .core(),
        row("a stopped `connect` closes its socket", "it stays open")
            .becomes("stopped-connect-closes-socket", "let socket = core::mem::ManuallyDrop::new(socket);\n    Ok(syscall::connect(socket.as_raw_fd(), address)?.map(|()| core::mem::ManuallyDrop::into_inner(socket)))")
            .caught_by_case("TcpStream::connect", RSEQ),
        row("`read_exact` says how far it came", "it says 0")
            .change("read-exact-says-how-far", "(|stopped| stopped.after(done))?", "(|stopped| stopped.after(done * 0))?")
            .caught_by_case("read_exact", RSEQ),
        row("`read_to_end` says how far it came", "it says 0")
            .change("read-end-says-how-far", ".map_err(|stopped| stopped.after(length - start))", "")
            .caught_by_case("read_to_end", RSEQ),
        row("`read_until` says how far it came", "it says 0")
            .change("read-until-says-how-far", ".map_err(|stopped| stopped.after(done))", "")
            .caught_by_case("read_until", RSEQ),
        row("`write_all` says how far it came", "it says 0")
            .change("write-all-says-how-far", "(|stopped| stopped.after(done))?", "(|stopped| stopped.after(done * 0))?")
            .caught_by_case("write_all", RSEQ),
        row("a stop inside of a buffered reader is a stop", "it is an error")
            .never("stop-inside-bufreader")
            .caught_by("ext::std_semantics::a_stop_inside_of_a_buffered_reader_is_a_stop", RSEQ),
    ]
}

fn looked_at_first() -> Vec<Row> {
    vec![
        row("a `BufReader` fills its buffer only when it would not wait", "it fills it")
            .becomes("bufreader-fills-when-ready", "let mut filled = Ok::<(), io::Error>(());")
            .caught_by_case("fill_buf", RSEQ),
        row("a request that came before is seen where nothing would wait: `join`", "the look")
            .gone("join-sees-earlier-request")
            .caught_by(
                "ext::std_semantics::a_request_before_is_seen_where_nothing_would_wait",
                ALL,
            ),
        row("a child that has been waited for is not waited for again", "the look")
            .becomes("child-not-waited-for-twice", "Ok(Some(_)) => {}")
            .caught_by("ext::std_semantics::a_child_that_has_been_waited_for_is_still_told", ALL),
        row("the wait for a child closes its input", "it stays open")
            .gone("wait-for-child-closes-input")
            .caught_by("ext::std_semantics::the_wait_for_a_child_closes_its_input", ALL),
    ]
}

fn of_another_thread() -> Vec<Row> {
    const ORDINARY: &str = "macro_behaviour::nested::another_threads_stop_is_an_ordinary_error";
    vec![
        row("another thread's stop in a result is an ordinary error", "it is taken for one's own")
            .becomes("another-threads-stop-in-result", "Some(stopped)")
            .caught_by(ORDINARY, ALL),
        row("a stop is found by the sources of an error", "none is looked at")
            .becomes("stop-by-source", "None")
            .caught_by("macro_behaviour::errors::a_stop_is_found_in_what_can_be_walked", ALL),
        row("the end of an iterator that was stopped is a stop", "it is its end")
            .change("stopped-iterator-ends", "scope::check().err()", "None")
            .caught_by("macro_behaviour::errors::a_stop_is_found_in_what_an_iterator_yields", ALL),
        row("the source of an `io::Error`'s own source is the stop", "it has none")
            .becomes("stop-by-inner-source", "None")
            .caught_by("macro_behaviour::errors::a_stop_is_found_in_what_can_be_walked", ALL),
        row("a foreign call that failed is looked at for a stop", "it is an ordinary error")
            .change("foreign-error-looked-at", "self.0.has_failed()", "false")
            .caught_by("macro_behaviour::foreign::a_call_that_waits_is_ended", ALL),
        row("what a `BufReader` has read ahead is readable", "it waits for more")
            .change("read-ahead-is-readable", "if self.has_read_ahead()", "if false")
            .caught_by(
                "macro_behaviour::read_ahead::behind_the_last_line_it_waits_and_is_stopped",
                ALL,
            ),
        row("`unblock` looks once more when it can run", "a call begins behind it")
            .change("unblock-second-look", "check().map(|()| call())", "Ok(call())")
            .caught_by("allocator::a_stop_while_unblock_is_set_up_goes_before_the_call", ALL),
        row("and so it is for a `BufReader`", "it is taken for one's own")
            .change("stop-inside-bufreader", "if scope::must_stop()", "")
            .caught_by(ORDINARY, ALL),
    ]
}

fn as_std_has_it() -> Vec<Row> {
    const LAST: &str = "ext::buffers::written::the_first_write_after_a_request_does_not_wait";
    vec![
        row("a read past a buffer over what seeks makes it forget", "it goes round the buffer")
            .becomes("seek-past-buffer-empties-it", "round && (true || reader.get_ref().seeks())")
            .caught_by("ext::buffers::read::a_read_past_a_buffer_makes_it_forget", RSEQ),
        row("a stopped buffer keeps what it holds", "it is dropped")
            .becomes("stopped-buffer-keeps-what-holds", "let left: &[u8] = &[];")
            .caught_by("ext::buffers::written::a_stopped_buffer_keeps_what_it_holds", ALL)
            .core(),
        row("a panic under a buffer is not written again", "it is")
            .always("panic-under-buffer-not-written")
            .caught_by("ext::buffers::written::a_panic_under_a_buffer_is_not_written_again", RSEQ),
        row("a line is written to its end", "the flush")
            .becomes(
                "line-is-flushed",
                "let flushed = Ok::<_, crate::scope::Stopped>(io::Result::Ok(()));",
            )
            .caught_by("ext::buffers::written::buffered_writes_are_those_of_std", RSEQ),
        row("the first write after a request does not wait", "it is not made")
            .becomes(
                "first-write-does-not-wait",
                "let again = true;\n        self.has_written_last = true;",
            )
            .caught_by(LAST, ALL),
        row("and is the last", "there are more")
            .becomes(
                "first-write-does-not-wait",
                "let again = core::mem::replace(&mut self.has_written_last, false);",
            )
            .caught_by(LAST, RSEQ),
        row("a limit does not wrap", "it does")
            .change(
                "limit-does-not-wrap",
                "limit.checked_sub(*length as u64)",
                "Some(limit.wrapping_sub(*length as u64))",
            )
            .caught_by("ext::buffers::read::a_reader_that_lies_panics_as_with_std", RSEQ),
    ]
}
