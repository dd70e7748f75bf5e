//! The backend without windows.

use super::{PPOLL, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    [protocol(), masks(), readiness(), futexes(), timeouts(), older(), others()]
        .into_iter()
        .flatten()
        .collect()
}

fn protocol() -> Vec<Row> {
    vec![
        row("the marker is set before the wait", "the store of 1")
            .gone("marker-set-before-wait")
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", PPOLL),
        row("and the flag is looked at after it", "the look")
            .always("flag-looked-at-after")
            .caught_by("races::same_instant::one_sees_the_other", PPOLL)
            .with("STOP_TESTS_STOPS", "20000"),
        row("in this order", "the fence, and that of the store itself")
            .change("marker-set-before-wait", "(1, Ordering::SeqCst);", "(1, Ordering::Relaxed);")
            .change("in-this-order", "fence(Ordering::SeqCst);", "")
            .caught_by("races::same_instant::one_sees_the_other", PPOLL)
            .with("STOP_TESTS_STOPS", "150000"),
        row("the marker is cleared after the wait", "the store of 0")
            .gone("marker-cleared-after-wait")
            .caught_by("signals::undisturbed::a_plain_read_sleeps_on", PPOLL)
            .core(),
        row("and requesters are waited for", "the way out does not look")
            .gone("requesters-waited-for")
            .caught_by("races::requester_steps::of_a_blocked_read", PPOLL),
        row("a call does not begin when a stop is requested", "the look before it")
            .gone("call-does-not-begin-when")
            .caught_by_case("TcpStream::read", PPOLL),
        row("an interrupted wait reports the stop", "it gives `EINTR`")
            .becomes("interrupted-wait-reports-stop", "Ok(raw)")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("so does one with a mask of its own", "it gives `EINTR`")
            .becomes("so-does-one-with-mask", "Ok(raw)")
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}

fn masks() -> Vec<Row> {
    vec![
        row("the signal is open in the wait", "it stays blocked")
            .becomes(
                "signal-open-in-wait",
                "let _ = (&raw mut set, installed::signal as fn() -> _);",
            )
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", PPOLL),
        row("also in the caller's own mask", "it stays as it is")
            .change("also-in-callers-own-mask", "without(set)", "set")
            .caught_by("calls::sys::a_full_mask_does_not_keep_the_request_out", PPOLL),
        row("and with windows", "it stays as it is")
            .change(
                "with-windows",
                "mask::without",
                "|set| if true { set } else { mask::without(set) }",
            )
            .caught_by("calls::sys::a_full_mask_does_not_keep_the_request_out", super::WINDOWS),
        row("a wait for signals waits for the stop signal as well", "it does not")
            .becomes(
                "wait-for-signals-waits-for",
                "let _ = (&raw mut set, installed::signal as fn() -> _);",
            )
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}

fn readiness() -> Vec<Row> {
    vec![
        row("a socket's call does not wait", "`MSG_DONTWAIT`")
            .becomes("sockets-call-does-not-wait", "args[flags_at] = asked;")
            .caught_by("runtime::config::the_environment_chooses_the_backend", PPOLL),
        row("nor does a pipe's", "`RWF_NOWAIT`")
            .change("nor-does-pipes", "libc::RWF_NOWAIT as usize", "0")
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", PPOLL),
        row("`accept` is made only when there is a connection", "it is made at once")
            .becomes(
                "accept-made-only-when-there",
                "unsafe { let _ = is_ready as fn(_, _) -> _; plain(number, args) }",
            )
            .caught_by(
                "waits::ppoll_turns::many_that_accept_from_one_listener_never_wait_in_accept",
                PPOLL,
            ),
        row("and by one at a time", "the turn")
            .change("by-one-at-time", "= Turn::take(descriptor)", "= Some(Turn::take(descriptor))")
            .never("by-one-at-time-2")
            .caught_by(
                "waits::ppoll_turns::many_that_accept_from_one_listener_never_wait_in_accept",
                PPOLL,
            )
            .with("STOP_TESTS_STOPS", "10000"),
        row("a full terminal holds no writer", "it is not opened once more")
            .condition(
                "full-terminal-holds-no-writer",
                "let Some(terminal) = file::terminal(descriptor).filter(|_| false)",
            )
            .caught_by("waits::ppoll_edges::a_full_terminal_holds_no_writer_of_line_feeds", PPOLL),
        row("what does not fit an eventfd is refused", "it is written")
            .change("what-does-not-fit-eventfd", "if anonymous", "if false && anonymous")
            .caught_by("waits::ppoll_edges::a_big_number_does_not_fit_an_eventfd", PPOLL),
        row("a sender waits for room at its peer", "for its own alone")
            .never("sender-waits-for-room-at")
            .caught_by(
                "waits::ppoll_edges::small_datagrams_by_address_wait_for_the_queue_and_stop",
                PPOLL,
            ),
        row("a socket that is shut is at its end", "the look at the end")
            .never("socket-shut-at-end")
            .caught_by(
                "waits::ppoll_edges::a_unix_datagram_socket_that_is_shut_is_at_its_end",
                PPOLL,
            ),
        row("an entry in the error queue wakes once", "the wait for an edge")
            .never("entry-in-error-queue-wakes")
            .caught_by("waits::ppoll_edges::an_entry_in_the_error_queue_is_no_datagram", PPOLL),
        row("a socket keeps its time-out", "it waits for ever")
            .change("socket-keeps-time-out", "result =", "result !")
            .caught_by("ext::std_semantics::a_buffered_socket_keeps_its_time_out", PPOLL),
        row("a socket that does not wait does not", "it waits")
            .change("socket-does-not-wait-does", "|| is_nonblocking(descriptor)", "")
            .change(
                "socket-does-not-wait-does-not",
                "if raw != AGAIN || is_nonblocking(descriptor)",
                "let _ = is_nonblocking as fn(_) -> _;\n    if raw != AGAIN",
            )
            .caught_by("ext::std_semantics::a_buffered_socket_that_does_not_wait_says_so", PPOLL),
    ]
}

fn futexes() -> Vec<Row> {
    vec![
        row("a futex wait looks at the flag too", "the caller's word alone")
            .becomes("futex-wait-looks-at-flag", "static ELSEWHERE: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);\n        ELSEWHERE.store(flag, Ordering::SeqCst);\n        all[0].uaddr = ELSEWHERE.as_ptr() as u64;")
            .caught_by("sync::mutex::a_waiter_for_a_mutex_is_stopped_and_the_lock_is_the_holders", PPOLL),
        row("a wake-up is not lost to a request that comes with it", "the flag is the last word")
            .change("wake-up-not-lost-request", "nowhere(), word", "word, nowhere()")
            .change("wake-up-not-lost-request-comes", "all[0].val", "all[1].val")
            .change("futex-wait-looks-at-flag", "all[0].uaddr", "all[1].uaddr")
            .change("wake-up-not-lost-request-comes-with", "all[0].flags", "all[1].flags")
            .becomes("wake-up-not-lost-request-2", "let nothing_woken = [1, AGAIN, INTERRUPTED].contains(&raw);")
            .change("wake-up-not-lost-request-3", "raw == 0 ||", "raw == 1 ||")
            .caught_by("waits::futex_wakeups::who_was_woken_returns_from_the_wait", PPOLL),
        row("the index is that of the caller's word", "it counts the flag")
            .change("index-callers-word", "if raw > 0 { raw - 1 } else { raw }", "raw")
            .caught_by("waits::futex_family::the_index_is_that_of_the_word", PPOLL),
        row("a request that a shield holds wakes nobody", "it does")
            .always("request-shield-holds-wakes-nobody")
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
        .becomes("request-ends-wait-about-begin", "let _ = record;")
        .caught_by("waits::futex_steps::a_request_ends_a_wait_that_begins", PPOLL),
        row("the signal is open in it", "it stays blocked")
            .change("signal-open-in", "SIG_UNBLOCK", "SIG_BLOCK")
            .caught_by(
                "sync::mutex::a_waiter_for_a_mutex_is_stopped_and_the_lock_is_the_holders",
                PPOLL,
            ),
        row("and blocked afterwards", "it stays open")
            .becomes("blocked-afterwards", "let _ = mask;")
            .caught_by("waits::futex_steps::a_stray_signal_does_not", PPOLL),
        row("a stray signal does not end it", "the caller is given `EINTR`")
            .becomes("stray-signal-does-not-end", "INTERRUPTED => false")
            .caught_by("waits::futex_steps::a_stray_signal_does_not", PPOLL),
        row("nor is what the handler struck a time-out", "the caller is given `ETIMEDOUT`")
            .becomes("nor-what-handler-struck-time", "_ => false")
            .caught_by("waits::futex_steps::a_stray_signal_does_not", PPOLL),
        row("the caller's time-out is one", "it goes on")
            .becomes("nor-what-handler-struck-time", "_ => timed_out")
            .caught_by("waits::deadlines::signals_with_restart_move_none", PPOLL),
        row("a wake-up is not lost to a request that comes with it", "it counts as none")
            .change(
                "wake-up-not-lost-request-4",
                "[AGAIN, INTERRUPTED].contains(&raw) || timed_out && struck",
                "raw <= 0",
            )
            .caught_by("waits::futex_wakeups::who_was_woken_returns_from_the_wait", PPOLL),
        row("for some bits it is for these", "for any")
            .change("for-some-bits-for-these", "= bits as", "= ANY_BIT as")
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
            .change("socket-written-without-rwf-nowait", "if kind =", "if false && kind =")
            .caught_by(MUCH, PPOLL),
        row("what a pipe has room for is written at once", "the first part alone")
            .change("what-pipe-room-for-written", "whole > 1 &&", "whole > 1 && false &&")
            .caught_by("calls::matrix::every_call_in_every_phase_on_an_old_kernel", PPOLL)
            .with("STOP_TESTS_CASE", "PipeWriter"),
        row("more parts than there may be are not looked at", "they are")
            .change("more-parts-than-there-may", "MOST { 0 }", "MOST { count }")
            .caught_by("calls::bad_arguments::parts_of_a_transfer", PPOLL),
        row("entries that the kernel refuses are not looked at", "they are")
            .never("entries-kernel-refuses-not-looked")
            .caught_by("calls::bad_arguments::entries_and_their_time_outs", PPOLL),
        row("and no more than that", "all of it")
            .change("no-more-than", "libc::PIPE_BUF", "usize::MAX")
            .caught_by(MUCH, PPOLL),
        row("`preadv2` may be forbidden", "the caller is told")
            .change("preadv2-may-forbidden", "!is_refusal(raw)", "!(is_refusal(raw) && false)")
            .caught_by(
                "runtime::old_kernels::many_that_read_from_one_pipe_wait_where_they_can_be_stopped",
                PPOLL,
            ),
        row("without pidfds a child that runs is not waited for", "an errno of the sandbox's")
            .never("without-pidfds-child-runs-not")
            .caught_by(KINDS, PPOLL),
        row("but one that has ended is", "it takes a pidfd")
            .change("but-one-ended", "si_pid() } != 0 {", "si_pid() } != 0 && false {")
            .caught_by(KINDS, PPOLL),
    ]
}

fn others() -> Vec<Row> {
    vec![
        row("a stop of the process moves no deadline", "the timer")
            .change("stop-process-moves-no-deadline", ".and_then", ".filter(|_| false).and_then")
            .caught_by("waits::deadlines::a_stop_of_the_process_moves_none", PPOLL),
        row("`connect` does not wait", "`O_NONBLOCK`")
            .gone("connect-does-not-wait")
            .caught_by_case("TcpStream::connect", PPOLL),
        row("and the socket waits again afterwards", "`O_NONBLOCK` stays")
            .gone("socket-waits-again-afterwards")
            .caught_by("ext::std_semantics::a_connected_stream_waits_for_its_data", PPOLL)
            .core(),
        row("the wait for a child leaves it to be reaped", "the look at it reaps")
            .gone("wait-for-child-leaves-reaped")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("who is no child is not waited for", "the look")
            .becomes("who-no-child-not-waited", "let _ = raw;\n    // SAFETY: filled")
            .caught_by("waits::ppoll_edges::a_process_that_is_no_child_is_not_waited_for", PPOLL),
        row("a message queue's call does not wait", "the deadline that has passed")
            .becomes("message-queues-call-does-not", "let _ = passed;")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("what cannot be waited for is refused: flock", "`LOCK_NB`")
            .gone("what-cannot-waited-for-refused")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("what cannot be waited for is refused: everything else", "it is made as it is")
            .becomes("what-cannot-waited-for-refused-everything", "_ => Ok(plain(number, args))")
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}
