//! The backend without windows.

use super::{PPOLL, Row, row};

const FILE: &str = "ppoll/mod.rs";
const OPEN: &str = "ppoll/wait.rs";
const MASKED: &str = "ppoll/masked.rs";
const READY: &str = "ppoll/ready.rs";
const TRANSFER: &str = "ppoll/transfer.rs";
const FUTEX: &str = "ppoll/futex.rs";
const WAIT: &str = "ppoll/event.rs";
const IMMEDIATE: &str = "ppoll/immediate.rs";

pub(crate) fn rows() -> Vec<Row> {
    [protocol(), masks(), readiness(), futexes(), timeouts(), older(), others()]
        .into_iter()
        .flatten()
        .collect()
}

fn protocol() -> Vec<Row> {
    const MARKER: &str = "record.line.marker.store(1, Ordering::SeqCst);";
    const LOOK: &str = "if record.line.flag.load(Ordering::SeqCst) != LOOK {";
    vec![
        row("the marker is set before the wait", "the store of 1")
            .edit(FILE, MARKER, "")
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", PPOLL),
        row("and the flag is looked at after it", "the look")
            .edit(FILE, LOOK, "if true {")
            .caught_by("races::same_instant::one_sees_the_other", PPOLL)
            .with("STOP_TESTS_STOPS", "20000"),
        row("in this order", "the fence, and that of the store itself")
            .edit(FILE, MARKER, "record.line.marker.store(1, Ordering::Relaxed);")
            .edit(FILE, "fence(Ordering::SeqCst);\n        if record", "if record")
            .caught_by("races::same_instant::one_sees_the_other", PPOLL)
            .with("STOP_TESTS_STOPS", "150000"),
        row("the marker is cleared after the wait", "the store of 0")
            .edit(FILE, "record.line.marker.store(0, Ordering::SeqCst);", "")
            .caught_by("signals::undisturbed::a_plain_read_sleeps_on", PPOLL)
            .core(),
        row("and requesters are waited for", "the way out does not look")
            .edit(FILE, "        record.settle();\n        let _", "let _")
            .caught_by("races::requester_steps::of_a_blocked_read", PPOLL),
        row("a call does not begin when a stop is requested", "the look before it")
            .edit(FILE, "if record.must_stop() {\n        return Err(Stopped::new());\n    }", "")
            .caught_by_case("TcpStream::read", PPOLL),
        row("an interrupted wait reports the stop", "it gives `EINTR`")
            .edit(
                OPEN,
                "if raw == INTERRUPTED && record.must_stop() { Err(Stopped::new()) } else { Ok(raw) }",
                "Ok(raw)",
            )
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("so does one with a mask of its own", "it gives `EINTR`")
            .edit(
                MASKED,
                "if raw == INTERRUPTED && record.must_stop() { Err(Stopped::new()) } else { Ok(raw) }",
                "Ok(raw)",
            )
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}

fn masks() -> Vec<Row> {
    vec![
        row("the signal is open in the wait", "it stays blocked")
            .edit(
                "ppoll/mask.rs",
                "unsafe { libc::sigdelset(&raw mut set, installed::signal()) };",
                "let _ = (&raw mut set, installed::signal as fn() -> _);",
            )
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", PPOLL),
        row("also in the caller's own mask", "it stays as it is")
            .edit(
                "ppoll/mask.rs",
                "bytes);\n        set\n    };\n    without(set)",
                "bytes);\n        set\n    };\n    set",
            )
            .caught_by("calls::sys::a_full_mask_does_not_keep_the_request_out", PPOLL),
        row("and with windows", "it stays as it is")
            .edit("sys/poll.rs", "unsafe { given(mask as usize) }.map(mask::without)", "unsafe { given(mask as usize) }.map(|set| if true { set } else { mask::without(set) })")
            .caught_by("calls::sys::a_full_mask_does_not_keep_the_request_out", super::WINDOWS),
        row("a wait for signals waits for the stop signal as well", "it does not")
            .edit(
                MASKED,
                "unsafe { libc::sigaddset(&raw mut set, installed::signal()) };",
                "let _ = (&raw mut set, installed::signal as fn() -> _);",
            )
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}

fn readiness() -> Vec<Row> {
    vec![
        row("a socket's call does not wait", "`MSG_DONTWAIT`")
            .edit(TRANSFER, "args[flags_at] = asked | libc::MSG_DONTWAIT as usize;", "args[flags_at] = asked;")
            .caught_by("runtime::config::the_environment_chooses_the_backend", PPOLL),
        row("nor does a pipe's", "`RWF_NOWAIT`")
            .edit(TRANSFER, "let call = [args[0], vector as usize, count, here, here, libc::RWF_NOWAIT as usize];", "let call = [args[0], vector as usize, count, here, here, 0];")
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", PPOLL),
        row("`accept` is made only when there is a connection", "it is made at once")
            .edit(TRANSFER, "if is_ready(descriptor, events) { unsafe { plain(number, args) } } else { AGAIN }", "unsafe { let _ = is_ready as fn(_, _) -> _; plain(number, args) }")
            .caught_by("waits::ppoll_turns::many_that_accept_from_one_listener_never_wait_in_accept", PPOLL),
        row("and by one at a time", "the turn")
            .edit(TRANSFER, "let Some(_turn) = Turn::take(descriptor) else {", "let Some(_turn) = Some(Turn::take(descriptor)) else {")
            .edit("ppoll/file.rs", "if taken.contains(&(device, inode)) {", "if taken.contains(&(device, inode)) && false {")
            .caught_by("waits::ppoll_turns::many_that_accept_from_one_listener_never_wait_in_accept", PPOLL)
            .with("STOP_TESTS_STOPS", "10000"),
        row("a full terminal holds no writer", "it is not opened once more")
            .edit(TRANSFER, "if let Some(terminal) = file::terminal(descriptor) {", "if let Some(terminal) = file::terminal(descriptor).filter(|_| false) {")
            .caught_by("waits::ppoll_edges::a_full_terminal_holds_no_writer_of_line_feeds", PPOLL),
        row("what does not fit an eventfd is refused", "it is written")
            .edit(TRANSFER, "if anonymous && first.iov_len == 8", "if false && anonymous && first.iov_len == 8")
            .caught_by("waits::ppoll_edges::a_big_number_does_not_fit_an_eventfd", PPOLL),
        row("a sender waits for room at its peer", "for its own alone")
            .edit(READY, "Some(peer) if is_ready(descriptor, events) => peer.as_raw_fd(),", "Some(peer) if is_ready(descriptor, events) && false => peer.as_raw_fd(),")
            .caught_by("waits::ppoll_edges::small_datagrams_by_address_wait_for_the_queue_and_stop", PPOLL),
        row("a socket that is shut is at its end", "the look at the end")
            .edit(READY, "if raw == AGAIN && receives && happened & libc::POLLRDHUP != 0 {", "if raw == AGAIN && receives && happened & libc::POLLRDHUP != 0 && false {")
            .caught_by("waits::ppoll_edges::a_unix_datagram_socket_that_is_shut_is_at_its_end", PPOLL),
        row("an entry in the error queue wakes once", "the wait for an edge")
            .edit(READY, "if raw == AGAIN && error_alone && edge.is_none() {", "if raw == AGAIN && error_alone && edge.is_none() && false {")
            .caught_by("waits::ppoll_edges::an_entry_in_the_error_queue_is_no_datagram", PPOLL),
        row("a socket keeps its time-out", "it waits for ever")
            .edit(READY, "(result == 0 && !timeout.is_zero()).then_some(timeout)", "(result != 0 && !timeout.is_zero()).then_some(timeout)")
            .caught_by("ext::std_semantics::a_buffered_socket_keeps_its_time_out", PPOLL),
        row("a socket that does not wait does not", "it waits")
            .edit(TRANSFER, "if raw != AGAIN || asked_not_to_wait || is_nonblocking(descriptor) {", "if raw != AGAIN || asked_not_to_wait {")
            .edit(READY, "if raw != AGAIN || is_nonblocking(descriptor) {", "let _ = is_nonblocking as fn(_) -> _;\n    if raw != AGAIN {")
            .caught_by("ext::std_semantics::a_buffered_socket_that_does_not_wait_says_so", PPOLL),
    ]
}

fn futexes() -> Vec<Row> {
    vec![
        row("a futex wait looks at the flag too", "the caller's word alone")
            .edit(FUTEX, "all[0].uaddr = record.line.flag.as_ptr() as u64;", "static ELSEWHERE: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);\n        ELSEWHERE.store(flag, Ordering::SeqCst);\n        all[0].uaddr = ELSEWHERE.as_ptr() as u64;")
            .caught_by("sync::mutex::a_waiter_for_a_mutex_is_stopped_and_the_lock_is_the_holders", PPOLL),
        row("a wake-up is not lost to a request that comes with it", "the flag is the last word")
            .edit(FUTEX, "&mut [nowhere(), word], until", "&mut [word, nowhere()], until")
            .edit(FUTEX, "all[0].val = u64::from(flag);", "all[1].val = u64::from(flag);")
            .edit(FUTEX, "all[0].uaddr = record", "all[1].uaddr = record")
            .edit(FUTEX, "all[0].flags = SIZE_U32 | PRIVATE;", "all[1].flags = SIZE_U32 | PRIVATE;")
            .edit(FUTEX, "let nothing_woken = [0, AGAIN, INTERRUPTED].contains(&raw);", "let nothing_woken = [1, AGAIN, INTERRUPTED].contains(&raw);")
            .edit(FUTEX, "raw == 0 || raw == AGAIN", "raw == 1 || raw == AGAIN")
            .caught_by("waits::futex_wakeups::who_was_woken_returns_from_the_wait", PPOLL),
        row("the index is that of the caller's word", "it counts the flag")
            .edit(FUTEX, "if raw > 0 { raw - 1 } else { raw }", "raw")
            .caught_by("waits::futex_family::the_index_is_that_of_the_word", PPOLL),
        row("a request that a shield holds wakes nobody", "it does")
            .edit(FUTEX, "if !flag_alone {", "if !flag_alone || true {")
            .caught_by("waits::futex_family::a_request_that_is_held_does_not_wake", PPOLL),
    ]
}

/// Without `futex_waitv(2)`.
fn timeouts() -> Vec<Row> {
    vec![
        row(
            "a request ends a wait that is about to begin",
            "the handler leaves its time-out alone",
        )
        .edit("runtime/handler.rs", "record.timeout.strike();", "let _ = record;")
        .caught_by("waits::futex_steps::a_request_ends_a_wait_that_begins", PPOLL),
        row("the signal is open in it", "it stays blocked")
            .edit(FUTEX, "signal::set_mask(libc::SIG_UNBLOCK)", "signal::set_mask(libc::SIG_BLOCK)")
            .caught_by(
                "sync::mutex::a_waiter_for_a_mutex_is_stopped_and_the_lock_is_the_holders",
                PPOLL,
            ),
        row("and blocked afterwards", "it stays open")
            .edit(FUTEX, "signal::restore_mask(&mask);", "let _ = mask;")
            .caught_by("waits::futex_steps::a_stray_signal_does_not", PPOLL),
        row("a stray signal does not end it", "the caller is given `EINTR`")
            .edit(FUTEX, "INTERRUPTED => struck || deadline.is_none(),", "INTERRUPTED => false,")
            .caught_by("waits::futex_steps::a_stray_signal_does_not", PPOLL),
        row("nor is what the handler struck a time-out", "the caller is given `ETIMEDOUT`")
            .edit(FUTEX, "_ => timed_out && (struck || deadline.is_none()),", "_ => false,")
            .caught_by("waits::futex_steps::a_stray_signal_does_not", PPOLL),
        row("the caller's time-out is one", "it goes on")
            .edit(FUTEX, "_ => timed_out && (struck || deadline.is_none()),", "_ => timed_out,")
            .caught_by("waits::deadlines::signals_with_restart_move_none", PPOLL),
        row("a wake-up is not lost to a request that comes with it", "it counts as none")
            .edit(FUTEX, "[AGAIN, INTERRUPTED].contains(&raw) || timed_out && struck;", "raw <= 0;")
            .caught_by("waits::futex_wakeups::who_was_woken_returns_from_the_wait", PPOLL),
        row("for some bits it is for these", "for any")
            .edit(FUTEX, "args[5] = bits as usize;", "args[5] = ANY_BIT as usize;")
            .caught_by(
                "waits::futex_family::who_waits_for_some_bits_is_woken_by_these_or_stopped",
                PPOLL,
            ),
    ]
}

/// Of what older kernels lack.
fn older() -> Vec<Row> {
    const MUCH: &str = "runtime::old_kernels::who_writes_much_waits_where_it_can_be_stopped";
    const KINDS: &str = "runtime::old_kernels::each_kind_of_call_is_stopped_or_refused";
    vec![
        row("a socket is written to without `RWF_NOWAIT`", "it is a file like others")
            .edit(TRANSFER, "if kind == libc::S_IFSOCK &&", "if false && kind == libc::S_IFSOCK &&")
            .caught_by(MUCH, PPOLL),
        row("what a pipe has room for is written at once", "the first part alone")
            .edit(TRANSFER, "if whole > 1 &&", "if whole > 1 && false &&")
            .caught_by("calls::matrix::every_call_in_every_phase_on_an_old_kernel", PPOLL)
            .with("STOP_TESTS_CASE", "PipeWriter"),
        row("more parts than there may be are not looked at", "they are")
            .edit(
                TRANSFER,
                "if count > MOST { 0 } else { count }",
                "if count > MOST { count } else { count }",
            )
            .caught_by("calls::bad_arguments::parts_of_a_transfer", PPOLL),
        row("entries that the kernel refuses are not looked at", "they are")
            .edit(
                OPEN,
                "if later.is_some() && count > 0 {",
                "if later.is_some() && count > 0 && false {",
            )
            .caught_by("calls::bad_arguments::entries_and_their_time_outs", PPOLL),
        row("and no more than that", "all of it")
            .edit(TRANSFER, "let mut room = libc::PIPE_BUF;", "let mut room = usize::MAX;")
            .caught_by(MUCH, PPOLL),
        row("`preadv2` may be forbidden", "the caller is told")
            .edit(TRANSFER, "&& !is_refusal(raw) {", "&& !(is_refusal(raw) && false) {")
            .caught_by(
                "runtime::old_kernels::many_that_read_from_one_pipe_wait_where_they_can_be_stopped",
                PPOLL,
            ),
        row("without pidfds a child that runs is not waited for", "an errno of the sandbox's")
            .edit(
                WAIT,
                "raw if is_refusal(raw) => UNSUPPORTED,",
                "raw if is_refusal(raw) && false => UNSUPPORTED,",
            )
            .caught_by(KINDS, PPOLL),
        row("but one that has ended is", "it takes a pidfd")
            .edit(
                WAIT,
                "if unsafe { info.si_pid() } != 0 {",
                "if unsafe { info.si_pid() } != 0 && false {",
            )
            .caught_by(KINDS, PPOLL),
    ]
}

fn others() -> Vec<Row> {
    vec![
        row("a stop of the process moves no deadline", "the timer")
            .edit(OPEN, "later.and_then(alarm)", "later.filter(|_| false).and_then(alarm)")
            .caught_by("waits::deadlines::a_stop_of_the_process_moves_none", PPOLL),
        row("`connect` does not wait", "`O_NONBLOCK`")
            .edit(WAIT, "set_nonblocking(descriptor, true);", "")
            .caught_by_case("TcpStream::connect", PPOLL),
        row("and the socket waits again afterwards", "`O_NONBLOCK` stays")
            .edit(WAIT, "set_nonblocking(descriptor, false);", "")
            .caught_by("ext::std_semantics::a_connected_stream_waits_for_its_data", PPOLL)
            .core(),
        row("the wait for a child leaves it to be reaped", "the look at it reaps")
            .edit(WAIT, "look[3] |= libc::WNOWAIT as usize;", "")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("who is no child is not waited for", "the look")
            .edit(
                WAIT,
                "if raw < 0 {\n        return Ok(raw);\n    }\n    // SAFETY: filled",
                "let _ = raw;\n    // SAFETY: filled",
            )
            .caught_by("waits::ppoll_edges::a_process_that_is_no_child_is_not_waited_for", PPOLL),
        row("a message queue's call does not wait", "the deadline that has passed")
            .edit(MASKED, "args[4] = &raw const passed as usize;", "let _ = passed;")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("what cannot be waited for is refused: flock", "`LOCK_NB`")
            .edit(IMMEDIATE, "args[1] |= libc::LOCK_NB as usize;", "")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("what cannot be waited for is refused: everything else", "it is made as it is")
            .edit(FILE, "_ => Ok(UNSUPPORTED),", "_ => Ok(plain(number, args)),")
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}
