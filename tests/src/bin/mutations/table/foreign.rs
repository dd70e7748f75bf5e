//! Regions of foreign code: what is armed, what is put back, and what calls give.

use super::{ALL, ITSELF, PPOLL, RSEQ, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    [arming(), surroundings(), masks(), stacks(), ways_back(), leaving(), calls(), at_once()]
        .into_iter()
        .flatten()
        .collect()
}

fn surroundings() -> Vec<Row> {
    const BAD: &str = "foreign::hazards::surroundings::bad_pointers_are_refused::handed_over";
    vec![
        row("on valgrind the timer is taken", "valgrind's own calls are handed over")
            .becomes("valgrind-takes-timer", "{ let _ = is_on_valgrind as fn() -> _; known }")
            .caught_by("hostile::tools::regions_under_valgrind", ITSELF),
        row("a call of 32 bits is made alone", "it is made with the numbers of 64")
            .condition(
                "call-of-32-bits-is-made-alone",
                "{ let _ = is_native; false } || must_be_made_alone(record, number, context)",
            )
            .caught_by("foreign::hazards::surroundings::a_call_of_32_bits::handed_over", RSEQ),
        row("a bad set of signals is refused", "it is read")
            .never("bad-mask-is-refused")
            .caught_by(BAD, RSEQ),
        row("a bad pointer is not followed", "it is")
            .always("bad-pointer-is-not-followed")
            .caught_by(BAD, RSEQ),
        row("calls are handed over again after each", "they are not")
            .never("handed-over-again-after-handler")
            .caught_by("foreign::hazards::handlers::a_filter_that_traps::handed_over", RSEQ),
        row("a call that succeeds leaves errno as it was", "it is the last error of ours")
            .gone("handler-of-calls-keeps-errno")
            .caught_by("foreign::table::each_row::handed_over", RSEQ),
        row("the thread is handed over again after a call that was made alone", "it is not")
            .gone("standing-aside-is-not-for-ever")
            .caught_by("foreign::hazards::surroundings::a_call_of_32_bits::handed_over", RSEQ),
        row("a thread that ends is disarmed", "it ends armed")
            .condition("ending-thread-is-disarmed", "false")
            .caught_by("hostile::jumps::a_jump_out_of_a_region", RSEQ),
    ]
}

fn at_once() -> Vec<Row> {
    const WAITS: &str = "foreign::table::at_once::other_waits::by_timer";
    const READINESS: &str = "foreign::table::at_once::readiness_of_a_pipe::by_timer";
    vec![
        row("a wait of no time runs", "it is ended")
            .becomes("wait-of-no-time-runs", "let _ = call; Give(CANCELED)")
            .caught_by("foreign::table::at_once::other_waits::handed_over", RSEQ),
        row("by timer, calls that do not wait run", "they are ended")
            .never("timer-lets-calls-that-do-not-wait-run")
            .caught_by("foreign::table::at_once::transfers_of_all_kinds::by_timer", RSEQ),
        row("a select of no time that a tick meets is made again", "it is interrupted")
            .condition("interrupted-select-of-no-time-is-made-again", "number == -1")
            .caught_by(READINESS, RSEQ),
        row("another call of no time that a tick meets is over", "it has an error")
            .never("interrupted-call-of-no-time-is-over")
            .caught_by(WAITS, RSEQ),
    ]
}

fn arming() -> Vec<Row> {
    vec![
        row("a thread that finds a stop itself is armed", "it waits for a signal")
            .gone("thread-that-finds-stop-arms-itself")
            .caught_by("foreign::scopes::a_stopped_scope_inside_of_it::handed_over", RSEQ),
        row("a stop that is not seen any more arms nothing", "it does")
            .never("unseen-stop-arms-nothing")
            .caught_by("foreign::scopes::a_stopped_scope_inside_of_it::by_timer", RSEQ),
        row("a shield inside lets calls run", "it does not")
            .condition("shield-inside-runs-calls", "!region.is_open()")
            .caught_by("foreign::scopes::a_shield_inside_of_a_stopped_one::handed_over", RSEQ)
            .caught_by("foreign::random::sequences::calls_of_all_kinds::handed_over", RSEQ),
        row("a handler of faults that blocks SIGSYS has the timer taken", "calls are handed over")
            .condition("handler-of-faults-or-others-takes-timer", "!is_ours()")
            .caught_by(
                "foreign::hazards::masks::a_handler_of_faults_that_blocks_everything::handed_over",
                RSEQ,
            ),
        row("another's handler of SIGSYS has the timer taken", "it gets our calls")
            .condition("handler-of-faults-or-others-takes-timer", "added & FAULTS != 0")
            .caught_by(
                "foreign::hazards::handlers::a_handler_of_sigsys_that_comes_later::handed_over",
                RSEQ,
            ),
        row("and the runtime says so", "it says that calls are handed over")
            .becomes("support-sees-handlers-in-the-way", "dispatch::is_available()")
            .caught_by(
                "foreign::hazards::handlers::a_handler_of_sigsys_that_comes_later::handed_over",
                RSEQ,
            ),
        row("one that comes meanwhile does, too", "it does not")
            .condition(
                "new-handler-of-sigsys-takes-timer",
                "first as c_int == libc::SIGSYS && second == 1",
            )
            .caught_by(
                "foreign::hazards::handlers::a_handler_of_sigsys_that_comes_meanwhile::handed_over",
                RSEQ,
            ),
        row("a handler of faults that comes meanwhile does, too", "it cannot meet the calls")
            .condition(
                "new-handler-of-faults-takes-timer",
                "installs_blocking(first, second) && bits_of(first) & FAULTS == 1",
            )
            .caught_by(
                "foreign::hazards::masks::a_handler_of_faults_that_blocks_everything::handed_over",
                RSEQ,
            ),
        row("where prctl(2) is refused at the stop there is the timer", "nothing ends the call")
            .never("refused-dispatch-takes-timer")
            .caught_by("foreign::hazards::surroundings::refused_late::handed_over", RSEQ),
        row("the runtime's own handlers make calls of their own", "they are handed over")
            .becomes(
                "own-handlers-calls-are-not-handed-over",
                "record.region.selector.load(Relaxed) != 0",
            )
            .caught_by("foreign::hazards::masks::sigsys_blocked_before::handed_over", RSEQ),
        row("a stop takes one frame of the alternate stack", "the handler's return is handed over")
            .gone("stop-takes-one-frame-of-alternate-stack")
            .caught_by("foreign::hazards::stacks::a_stop_takes_one_frame::handed_over", RSEQ),
        row("a signal of a filter is the sandbox's", "it is taken for a call of ours")
            .becomes("signal-of-a-filter-is-not-ours", "let ours = true;")
            .caught_by("foreign::hazards::handlers::a_filter_that_traps::handed_over", RSEQ),
    ]
}

fn masks() -> Vec<Row> {
    const BEFORE: &str = "foreign::hazards::masks::sigsys_blocked_before::handed_over";
    const FRAME: &str =
        "foreign::hazards::masks::sigsys_blocked_in_the_frame_of_a_handler::handed_over";
    const ALL_BLOCKED: &str =
        "foreign::hazards::masks::a_handler_that_blocks_everything::handed_over";
    vec![
        row("an armed thread has SIGSYS open", "it stays blocked, and the process ends")
            .gone("armed-thread-has-sigsys-open")
            .caught_by(BEFORE, RSEQ),
        row("the mask before is remembered", "it is forgotten")
            .gone("mask-before-arming-is-remembered")
            .caught_by(BEFORE, RSEQ),
        row("leaving blocks SIGSYS again", "it stays open")
            .gone("left-region-blocks-sigsys-again")
            .caught_by(BEFORE, RSEQ),
        row("signals whose handlers block SIGSYS wait", "they do not, and the process ends")
            .becomes(
                "signals-whose-handlers-block-sigsys-wait",
                "let added = { let _ = blocking as fn() -> _; 0 };",
            )
            .caught_by(ALL_BLOCKED, RSEQ),
        row("what has waited is delivered on leaving", "it stays blocked")
            .gone("left-region-delivers-what-waited")
            .caught_by(ALL_BLOCKED, RSEQ),
        row("a handler that is installed meanwhile and blocks SIGSYS waits", "it does not")
            .gone("new-handler-that-blocks-sigsys-waits")
            .caught_by(
                "foreign::hazards::masks::one_that_is_installed_meanwhile::handed_over",
                RSEQ,
            ),
        row("a wait whose mask blocks SIGSYS is made alone", "a handler in it ends the process")
            .never("wait-with-sigsys-in-mask-is-made-alone")
            .caught_by(
                "foreign::hazards::masks::a_wait_whose_mask_blocks_everything_else::handed_over",
                RSEQ,
            ),
        row("a frame from before arming has SIGSYS open", "its return blocks it")
            .gone("frame-from-before-has-sigsys-open")
            .caught_by(FRAME, RSEQ),
        row("and what it had is remembered", "it is forgotten")
            .gone("frame-from-before-remembers-mask")
            .caught_by(FRAME, RSEQ),
        row("sigprocmask leaves SIGSYS open", "it is made as it is")
            .becomes("sigprocmask-is-made-on-the-frame", "let result = 0_isize;")
            .caught_by("foreign::hazards::masks::sigsys_blocked_meanwhile::handed_over", RSEQ),
        row("a thread that is not armed any more has its mask", "signals stay blocked")
            .gone("standing-aside-gives-mask-back")
            .caught_by("foreign::hazards::children::exec_in_it::handed_over", RSEQ),
        row("a new program has the thread's mask", "signals stay blocked in it")
            .becomes("new-program-has-own-mask", "libc::SYS_execve | libc::SYS_execveat => false,")
            .caught_by("foreign::hazards::children::exec_in_it::handed_over", RSEQ),
    ]
}

fn stacks() -> Vec<Row> {
    const SMALL: &str = "foreign::hazards::stacks::a_small_one_is_not_used::handed_over";
    vec![
        row("an armed thread has room for our handlers", "it has what std gave it")
            .becomes("armed-thread-has-room", "let _ = lent;")
            .caught_by(SMALL_STOP, RSEQ),
        row("a handler on a stack without room is not armed on it", "it is, and overflows it")
            .becomes("handler-on-alternate-stack-needs-room", "let has_room = true;")
            .caught_by("foreign::hazards::stacks::a_stop_meets_a_handler_on_it::handed_over", RSEQ),
        row("leaving gives the thread its own stack back", "it keeps ours")
            .change("left-region-gives-stack-back", "!set(&lent.replaced())", "false")
            .caught_by("foreign::hazards::stacks::a_handler_on_it_makes_calls::handed_over", RSEQ),
        row("a thread that is not armed any more has its own stack", "it has ours")
            .gone("standing-aside-gives-stack-back")
            .caught_by(SMALL, RSEQ),
        row("what the timer looks for has room", "it is on the thread's own stack")
            .becomes("timer-has-room-for-its-look", "let is_small = false;")
            .caught_by("foreign::hazards::stacks::a_small_one_is_not_used::by_timer", RSEQ),
        row("the thread sees its own", "it sees ours")
            .becomes("thread-sees-own-alternate-stack", "libc::SYS_sigaltstack => false")
            .caught_by(SMALL, RSEQ),
        row("a frame from before leaves it the room", "it takes the room away")
            .gone("frame-from-before-keeps-room")
            .caught_by(
                "foreign::hazards::stacks::a_handler_from_before_returns::handed_over",
                RSEQ,
            ),
    ]
}

const SMALL_STOP: &str = "foreign::hazards::stacks::a_small_one_has_room_for_the_stop::handed_over";

fn ways_back() -> Vec<Row> {
    vec![
        row("a child on its own stack finds its way back", "the address is on another")
            .condition("child-on-own-stack-finds-way-back", "second == 1")
            .caught_by("foreign::hazards::children::a_raw_vfork_and_clone::handed_over", RSEQ),
        row("one on its parent's finds it", "it overwrites its parent's")
            .becomes("child-on-shared-stack-finds-way-back", "libc::SYS_vfork => false")
            .caught_by("foreign::hazards::children::a_raw_vfork::handed_over", RSEQ),
        row("so does one of clone(2)", "it overwrites its parent's")
            .becomes(
                "child-by-clone-on-shared-stack-finds-way-back",
                "libc::SYS_clone => { let _ = shares_memory; false }",
            )
            .caught_by("foreign::hazards::children::a_raw_vfork::handed_over", RSEQ),
        row("a new thread finds it", "the address is on another stack")
            .becomes("new-thread-finds-way-back", "libc::SYS_clone3 => false")
            .caught_by("foreign::hazards::children::children_of_all_kinds::handed_over", RSEQ),
        row("a forked child has its mask, and nothing armed", "signals stay blocked in it")
            .gone("forked-child-forgets-dispatch")
            .caught_by("foreign::hazards::children::children_of_all_kinds::handed_over", RSEQ),
    ]
}

fn leaving() -> Vec<Row> {
    vec![
        row("leaving a region disarms", "it does not")
            .gone("leaving-region-disarms")
            .caught_by("foreign::plain::read_of_a_pipe::by_timer", RSEQ),
        row("the signal stays open for a region of another copy", "it is blocked")
            .becomes(
                "signal-stays-open-for-other-copys-region",
                "let _ = was_blocked; signal::set_mask(libc::SIG_BLOCK);",
            )
            .caught_by("built::linking::regions::a_region_of_each_one_in_the_other", PPOLL),
        row("and takes the timer away", "it stays")
            .gone("left-region-has-no-timer")
            .caught_by("foreign::plain::read_of_a_pipe::by_timer", RSEQ),
        row("a deadline that has ended a region is a time-out", "an error of the library's")
            .change(
                "region-that-was-ended-is-timed-out",
                "!self.has_stopped.get() && !self.has_ended_region.get() && !self.is_late_in_region()",
                "!self.has_stopped.get()",
            )
            .caught_by("foreign::scopes::a_deadline_that_has_ended_it_is_a_time_out::handed_over", ALL),
        row("no tick comes when the stack has been given back", "it takes of the thread's own")
            .becomes(
                "tick-comes-before-stack-is-given-back",
                "dispatch::give_back(record); tick::stop(record);",
            )
            .caught_by(
                "foreign::hazards::stacks::a_late_tick_uses_no_small_one::handed_over",
                RSEQ,
            ),
    ]
}

fn calls() -> Vec<Row> {
    const ROWS: &str = "foreign::table::each_row::handed_over";
    vec![
        row("an ioctl that is found waiting is ended", "it waits")
            .never("waiting-ioctl-is-ended")
            .caught_by(ROWS, RSEQ),
        row("by timer, too", "it waits")
            .gone("ioctl-found-waiting-twice-is-ended")
            .caught_by("foreign::table::each_row::by_timer", RSEQ),
        row("by timer, a wait in a futex goes on", "it has an error, and glibc aborts")
            .never("futexes-are-left-alone")
            .caught_by("foreign::plain::a_timed_wait_for_a_condition::by_timer", RSEQ),
        row("a sleep ends without an error", "std gets one")
            .never("interrupted-sleep-is-no-error")
            .caught_by("foreign::plain::sleep::by_timer", RSEQ),
        row("a loop of sleeps does not spin", "it does")
            .always("loop-of-sleeps-does-not-spin")
            .caught_by(ROWS, RSEQ),
        row("goodbyes have an end", "a peer that reads gets on")
            .never("goodbyes-have-an-end")
            .caught_by(ROWS, RSEQ),
        row("a connect that was reported ready has failed", "it looks connected")
            .never("connect-reported-ready-has-failed")
            .caught_by(ROWS, RSEQ),
        row(
            "a poll of an eventfd alone is interrupted",
            "it has an error that event loops abort for",
        )
        .always("poll-of-eventfds-is-interrupted")
        .caught_by("foreign::plain::polls_of_an_eventfd_alone::handed_over", RSEQ),
        row("by timer, too", "it has that error")
            .never("interrupted-poll-of-eventfds-says-so")
            .caught_by("foreign::plain::polls_of_an_eventfd_alone::by_timer", RSEQ),
        row("a marked call of a callback looks again", "it is ended as foreign code is")
            .change(
                "marked-call-of-callback-looks-again",
                "Place::Inside(abort) = unsafe { find(&record.line, pc - LENGTH) }",
                "(true, Place::Inside(abort)) = (false, unsafe { find(&record.line, pc - LENGTH) })",
            )
            .caught_by("foreign::random::callbacks::marked_calls::handed_over", RSEQ),
        row("a datagram whose name was not resolved is stopped", "it has the resolver's error")
            .never("datagram-to-stopped-name-is-stopped")
            .caught_by("foreign::scopes::the_resolution_of_a_name::handed_over", RSEQ),
        row("data that has come is read by timer", "the read is ended")
            .never("timer-lets-data-be-read")
            .caught_by("foreign::plain::read_of_data_that_has_come::by_timer", RSEQ),
        row("a connection is reset where that is asked for", "the call of the moment has failed")
            .becomes("calls-of-sockets-are-reset", "let resets = false & region.resets.load(Relaxed);")
            .caught_by("foreign::resets::whatever_sends::handed_over", RSEQ)
            .caught_by("foreign::resets::whatever_sends::by_timer", RSEQ),
        row("where the call is never restarted, too", "the call of the moment has failed")
            .becomes(
                "interrupted-call-of-socket-is-reset",
                "let _ = region; again.then_some(-(libc::ECANCELED as isize))",
            )
            .caught_by("foreign::resets::a_write_with_a_time_out::by_timer", RSEQ),
        row("an answer of the kernel's is read", "it is not, and names are not found")
            .never("netlink-with-data-is-read")
            .caught_by(ROWS, RSEQ),
    ]
}
