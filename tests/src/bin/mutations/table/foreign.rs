//! Regions of foreign code: what is armed, what is put back, and what calls give.

use super::{RSEQ, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    [arming(), masks(), ways_back(), leaving(), calls()].into_iter().flatten().collect()
}

fn arming() -> Vec<Row> {
    vec![
        row("a thread that finds a stop itself is armed", "it waits for a signal")
            .gone("thread-that-finds-stop-arms-itself")
            .caught_by("foreign::scopes::a_stopped_scope_inside_of_it::handed_over", RSEQ),
        row("a stop behind a shield arms nothing", "it does")
            .never("unseen-stop-arms-nothing")
            .caught_by("foreign::scopes::a_shield_inside_of_a_stopped_one::by_timer", RSEQ),
        row("a shield inside lets calls run", "it does not")
            .condition("shield-inside-runs-calls", "!region.is_open()")
            .caught_by("foreign::scopes::a_shield_inside_of_a_stopped_one::handed_over", RSEQ),
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
        row("one that comes meanwhile does, too", "it does not")
            .condition(
                "new-handler-of-sigsys-takes-timer",
                "first as c_int == libc::SIGSYS && second == 1",
            )
            .caught_by(
                "foreign::hazards::handlers::a_handler_of_sigsys_that_comes_meanwhile::handed_over",
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

fn ways_back() -> Vec<Row> {
    vec![
        row("a child on its own stack finds its way back", "the address is on another")
            .condition("child-on-own-stack-finds-way-back", "second == 1")
            .caught_by("foreign::hazards::children::a_raw_vfork_and_clone::handed_over", RSEQ),
        row("one on its parent's finds it", "it overwrites its parent's")
            .becomes("child-on-shared-stack-finds-way-back", "libc::SYS_vfork => false")
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
        row("and takes the timer away", "it stays")
            .gone("left-region-has-no-timer")
            .caught_by("foreign::plain::read_of_a_pipe::by_timer", RSEQ),
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
        row("an answer of the kernel's is read", "it is not, and names are not found")
            .never("netlink-with-data-is-read")
            .caught_by(ROWS, RSEQ),
    ]
}
