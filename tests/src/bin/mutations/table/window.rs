//! The window itself, and the table of windows.
//!
//! The mutations run on this machine, so one that matters is not among them: in
//! `window/arch/aarch64.rs` and `window/arch/riscv64.rs` without the lines that declare `v0` to
//! `v31`, both tests of `registers` fail in every way that they try, on `neoverse-v1`
//! and `a64fx` in `.ci/platforms/aarch64-kernel`, and in `.ci/platforms/riscv64`.

use super::{HANDLER, ITSELF, RSEQ, Row, WINDOWS, row};

impl Row {
    fn by_the_kernel_alone(self) -> Row {
        self.becomes(
            "handler-diverts",
            "Place::Inside(_) => { let _ = set_program_counter as unsafe fn(_, _); }",
        )
    }
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the window tests the flag", "the jump to `stopped`")
            .becomes("window-tests-flag", r#""nop""#)
            .caught_by("races::window_steps::a_request_at_each_instruction", HANDLER)
            .caught_by("runtime::lifecycle::a_request_before_the_thread_runs", RSEQ),
        row("the window begins before the flag test", "it begins behind it")
            .gone("window-begins-before-flag-test")
            .becomes("window-tests-flag", r#""je 25b", "22:""#)
            .caught_by("races::window_injected::preempted", WINDOWS),
        row("the window ends behind the call", "it ends before it")
            .becomes("window-ends-behind-call", r#"".8byte 22f, 23f - 22f - 2, 24f\n""#)
            .caught_by("races::window_steps::a_request_at_each_instruction", HANDLER)
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", WINDOWS),
        row("the marker is set", "the store of 1")
            .gone("marker-set")
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", WINDOWS),
        row("the marker is set before the flag is tested", "set after it")
            .gone("marker-set")
            .becomes("window-tests-flag", r#""je 25b", "mov dword ptr [{line} + 4], 1""#)
            .caught_by("races::window_injected::on_two_cores", WINDOWS),
        row("the marker is cleared after the call", "the store of 0")
            .gone("marker-cleared-after-call")
            .caught_by("signals::undisturbed::a_plain_read_sleeps_on", WINDOWS)
            .core(),
        row(
            "the kernel aborts a window (rseq)",
            "its descriptor is not stored; nor the handler's part",
        )
        .gone("descriptor-stored")
        .by_the_kernel_alone()
        .caught_by("races::window_injected::on_two_cores", RSEQ),
        row(
            "an aborted window is one again (rseq)",
            "`abort` goes on at `start`; nor the handler's part",
        )
        .becomes("aborted-window-one-again-rseq", r#""jmp 22f""#)
        .by_the_kernel_alone()
        .caught_by("races::window_injected::interrupted_before", RSEQ),
        row("`rseq_cs` points nowhere after the call", "the store of 0")
            .gone("rseq-cs-points-nowhere-after")
            .caught_by("races::left_behind::no_descriptor", RSEQ)
            .core(),
        row("`abort` goes back before the flag test", "it goes to the call")
            .becomes("aborted-window-one-again-rseq", r#""jmp 28f""#)
            .before("abort-goes-back-before-flag", r#""28:","#)
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", WINDOWS),
        row(
            "`abort` keeps the number, which may be `restart_syscall`",
            "it loads the caller's again",
        )
        .becomes("abort-keeps-number-may-restart", r#""24:", "mov rax, {number}""#)
        .becomes(
            "abort-keeps-number-may-restart-syscall",
            "line = in(reg) $line, number = in(reg) $number",
        )
        .caught_by("signals::strays::a_stop_of_the_process_moves_no_deadline", RSEQ),
        row(
            "a thread that has looked makes its calls: the flag is exactly 1",
            "bit 0 alone is tested",
        )
        .change(
            "shield-holds-request-flag-exactly",
            r#""cmp dword ptr [{line}], 1",
            $($delay,)?
            "je 25b""#,
            r#""test dword ptr [{line}], 1",
            $($delay,)?
            "jne 25b""#,
        )
        .caught_by(
            "races::held_requester::a_thread_that_has_looked_goes_to_sleep_meanwhile",
            WINDOWS,
        )
        .core(),
        row("a program without a window links", "the descriptor that is empty")
            .change("program-without-window-links", "stop_windows", ".data.none")
            .caught_by("built::linking::checkpoints::checkpoints_alone_link_and_stop", ITSELF),
        row("the handler finds windows in whatever image", "those of its own image alone")
            .change(
                "window-found-in-any-image",
                "in stored.into_iter().chain(windows())",
                "in windows()",
            )
            .change("window-found-in-any-image-2", "let stored", "let _")
            .caught_by(
                "built::linking::dylib::windows_outside_of_the_runtimes_library_are_found",
                ITSELF,
            ),
        row("and those whose descriptor the kernel has taken away", "the table")
            .change("window-found-in-any-image", ".chain(windows())", "")
            .caught_by("signals::undisturbed_traced::a_stopped_read_takes_one_signal", RSEQ),
    ]
}
