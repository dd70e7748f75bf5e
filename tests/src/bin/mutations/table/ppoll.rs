//! The backend without windows.

use super::{ALL, ITSELF, PPOLL, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    [protocol(), masks(), spoiled(), forms(), futexes(), older(), others()]
        .into_iter()
        .flatten()
        .collect()
}

fn protocol() -> Vec<Row> {
    vec![
        row("the marker is set before the wait", "the store of 1")
            .gone("marker-set-before-wait")
            .caught_by_case("TcpListener::accept", PPOLL),
        row("and the flag is looked at after it", "the look")
            .always("flag-looked-at-after-marker")
            .caught_by("races::same_instant::one_sees_the_other", PPOLL)
            .with("STOP_TESTS_STOPS", "20000"),
        row("in this order", "the fence")
            .change("marker-before-flag-fence", "fence(Ordering::SeqCst);", "")
            .caught_by("loom/ppoll::a_thread_that_falls_asleep_is_woken", ITSELF),
        row("as it is cleared before the next look", "the fence")
            .change("marker-cleared-before-flag-fence", "fence(Ordering::SeqCst);", "")
            .caught_by("loom/ppoll::what_follows_meets_no_signal", ITSELF),
        row("the marker is cleared after the wait", "the store of 0")
            .gone("marker-cleared-after-wait")
            .caught_by("signals::undisturbed::a_plain_read_sleeps_on", PPOLL)
            .core(),
        row("and requesters are waited for", "the way out does not look")
            .gone("way-out-waits-for-requesters")
            .caught_by("races::requester_steps::of_a_blocked_read", PPOLL),
        row("a call does not begin when a stop is requested", "the look before it")
            .gone("call-not-begun-when-requested")
            .caught_by(
                "ext::files::plain::a_request_that_came_before_opens_and_makes_nothing",
                PPOLL,
            ),
        row("an interrupted wait reports the stop", "it gives `EINTR`")
            .gone("interrupted-wait-reports-stop")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("so does one with a mask of its own", "it gives `EINTR`")
            .gone("masked-wait-reports-stop")
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
            .caught_by(
                "waits::ppoll_turns::many_that_accept_from_one_listener_never_wait_in_accept",
                PPOLL,
            ),
        row("also in the caller's own mask", "it stays as it is")
            .change("signal-open-in-callers-mask", "without(set)", "set")
            .caught_by("calls::sys::a_full_mask_does_not_keep_the_request_out", PPOLL),
        row("and with windows", "it stays as it is")
            .change(
                "callers-mask-with-windows",
                "mask::without",
                "|set| if true { set } else { mask::without(set) }",
            )
            .caught_by("calls::sys::a_full_mask_does_not_keep_the_request_out", super::WINDOWS),
        row("a wait for signals waits for the stop signal as well", "it does not")
            .becomes(
                "sigwait-includes-stop-signal",
                "let _ = (&raw mut set, installed::signal as fn() -> _);",
            )
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}

/// The plain call, with an argument that the handler spoils.
fn spoiled() -> Vec<Row> {
    const STRAY: &str = "waits::futex_steps::a_stray_signal_does_not";
    vec![
        row("a request ends a call that is about to begin", "the handler spoils nothing")
            .becomes("request-ends-call-about-to-begin", "let _ = record;")
            .caught_by("waits::futex_steps::a_request_ends_a_wait_that_begins", PPOLL)
            .caught_by(
                "waits::futex_steps::a_request_ends_each_call_that_is_about_to_begin",
                PPOLL,
            ),
        row("the signal is unblocked in it", "it stays blocked")
            .change("signal-open-while-spoiling", "SIG_UNBLOCK", "SIG_BLOCK")
            .caught_by("calls::sys::the_whole_table", PPOLL)
            .core(),
        row("and blocked afterwards", "it stays unblocked")
            .becomes("signal-blocked-after-wait", "let _ = mask;")
            .caught_by(STRAY, PPOLL),
        row("a stray signal does not end it", "the caller is given the error")
            .becomes("stray-signal-does-not-end", "Ok(Some(raw))")
            .caught_by(STRAY, PPOLL),
        row("what the handler has spoiled is put back", "it stays spoiled")
            .never("spoiled-put-back")
            .caught_by(STRAY, PPOLL),
        row("an effect is not lost to a request that comes with it", "it counts as none")
            .change("effect-kept", "spoiled && raw == error", "spoiled")
            .caught_by("waits::futex_wakeups::a_woken_thread_returns_from_the_wait", PPOLL),
        row("the caller's time-out is one", "it goes on")
            .change("callers-time-out", "if deadline.is_none()", "")
            .caught_by("waits::deadlines::signals_with_restart_move_none", PPOLL),
        row("for some bits it is for these", "for any")
            .change("mask-bits-handed-on", "args[5] as u32 == ANY_BIT", "true")
            .caught_by(
                "waits::futex_family::a_wait_for_some_bits_is_woken_by_these_or_stopped",
                PPOLL,
            ),
    ]
}

/// What stands in for a call.
fn forms() -> Vec<Row> {
    const WHOLE: &str = "waits::ppoll_edges::as_plain::a_message_comes_with_all_that_belongs_to_it";
    const TURNS: &str =
        "waits::ppoll_turns::many_that_accept_from_one_listener_never_wait_in_accept";
    vec![
        row("`accept` is made only when there is a connection", "it is made at once")
            .always("accept-made-only-when-there")
            .caught_by(TURNS, PPOLL),
        row("and by one at a time", "the turn")
            .never("accept-by-one-thread")
            .caught_by(TURNS, PPOLL)
            .with("STOP_TESTS_STOPS", "10000"),
        row("and says at once that no descriptor is free", "it waits")
            .never("accept-takes-its-descriptor-first")
            .caught_by("hostile::descriptors::an_accept_says_that_none_is_free", PPOLL),
        row("the length of a sender's address is handed on", "it stays in the copy")
            .becomes("senders-address-length", "let _ = (room, &message);")
            .caught_by(WHOLE, PPOLL),
        row("and what belongs to a message", "it stays in the copy")
            .becomes("message-fields-handed-on", "let _ = (report as unsafe fn(_, _), theirs);")
            .caught_by(WHOLE, PPOLL),
        row("more parts than there may be are not looked at", "they are")
            .change("too-many-parts-not-read", "(1..=MOST)", "(1..=MOST.max(usize::MAX))")
            .caught_by("calls::bad_arguments::parts_of_a_transfer", PPOLL),
    ]
}

fn futexes() -> Vec<Row> {
    vec![
        row("a futex wait looks at the flag too", "the caller's word alone")
            .becomes("futex-wait-looks-at-flag", "static ELSEWHERE: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);\n        ELSEWHERE.store(seen, Ordering::SeqCst);\n            all[0].uaddr = ELSEWHERE.as_ptr() as u64;")
            .caught_by("sync::mutex::a_waiter_for_a_mutex_is_stopped_and_the_lock_is_the_holders", ALL),
        row("a wake-up is not lost to a request that comes with it", "the flag is the last word")
            .change("wake-up-kept", "nowhere(), word", "word, nowhere()")
            .change("wake-up-kept-of-a-word", "nowhere(), entry", "entry, nowhere()")
            .change("wake-up-kept-when-asleep", "all[0].val", "all[1].val")
            .change("futex-wait-looks-at-flag", "all[0].uaddr", "all[1].uaddr")
            .change("wake-up-kept-on-entry", "all[0].flags", "all[1].flags")
            .becomes("wake-up-kept-2", "let nothing_woken = [1, AGAIN, INTERRUPTED].contains(&raw);")
            .change("wake-up-kept-3", "raw == 0 ||", "raw == 1 ||")
            .caught_by("waits::futex_wakeups::a_woken_thread_returns_from_the_wait", PPOLL),
        row("the index counts the caller's words alone", "it counts the flag")
            .change("futex-index-of-callers-word", "if raw > 0 { raw - 1 } else { raw }", "raw")
            .caught_by("waits::futex_family::the_index_is_that_of_the_word", PPOLL),
        row("a request that a shield holds wakes no thread", "it does")
            .always("shielded-request-wakes-no-thread")
            .caught_by("waits::futex_family::a_request_that_is_held_does_not_wake", PPOLL),
    ]
}

/// Of what older kernels lack.
fn older() -> Vec<Row> {
    const KINDS: &str = "runtime::old_kernels::each_kind_of_call_is_stopped_or_refused";
    vec![
        row("entries that the kernel refuses are not looked at", "they are")
            .never("refused-entries-not-read")
            .caught_by("calls::bad_arguments::entries_and_their_time_outs", PPOLL),
        row("without pidfds a child that runs is not waited for", "an errno of the sandbox's")
            .never("without-pidfds-child-runs-not")
            .caught_by(KINDS, PPOLL),
        row("but one that has ended is", "it takes a pidfd")
            .change("child-ended-without-pidfds", "si_pid() } != 0 {", "si_pid() } != 0 && false {")
            .caught_by(KINDS, PPOLL),
    ]
}

fn others() -> Vec<Row> {
    vec![
        row("a stop of the process moves no deadline", "the timer")
            .change("sigstop-moves-no-deadline", ".and_then", ".filter(|_| false).and_then")
            .caught_by("waits::deadlines::a_stop_of_the_process_moves_none", PPOLL),
        row("`connect` does not wait", "`O_NONBLOCK`")
            .gone("connect-does-not-wait")
            .caught_by_case("TcpStream::connect", PPOLL),
        row("and the socket waits again afterwards", "`O_NONBLOCK` stays")
            .gone("socket-waits-again-afterwards")
            .caught_by("ext::std_semantics::a_connected_stream_waits_for_its_data", PPOLL)
            .core(),
        row("a datagram's socket keeps its flags", "it is made non-blocking for a while")
            .change(
                "datagrams-connect-at-once",
                "libc::SOCK_DGRAM | libc::SOCK_RAW",
                "libc::SOCK_RAW",
            )
            .caught_by(
                "waits::ppoll_edges::as_plain::a_datagrams_connect_leaves_the_sockets_flags_alone",
                PPOLL,
            ),
        row("the wait for a child leaves it to be reaped", "the look at it reaps")
            .gone("wait-for-child-leaves-reaped")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("a process that is no child is not waited for", "the look")
            .becomes("not-a-child-not-waited-for", "let _ = raw;\n    // SAFETY: filled")
            .caught_by("waits::ppoll_edges::a_process_that_is_no_child_is_not_waited_for", PPOLL),
        row("what cannot be waited for is refused: flock", "`LOCK_NB`")
            .gone("flock-refused")
            .caught_by("calls::sys::the_whole_table", PPOLL),
        row("what cannot be waited for is refused: everything else", "it is made as it is")
            .becomes(
                "unknown-call-refused",
                "How::SecondThread | How::Refused => Ok(plain(number, args))",
            )
            .caught_by("calls::sys::the_whole_table", PPOLL),
    ]
}
