//! The window itself, and the table of windows.
//!
//! The mutations run on this machine, so one that matters is not among them: in
//! `window/arch/aarch64.rs` and `window/arch/riscv64.rs` without the lines that declare `v0` to
//! `v31`, both tests of `registers` fail in every way that they try, on `neoverse-v1`
//! and `a64fx` in `.ci/platforms/aarch64-kernel`, and in `.ci/platforms/riscv64`.

use super::{HANDLER, ITSELF, RSEQ, Row, WINDOWS, row};

const FILE: &str = "window/arch/x86_64.rs";

/// The handler's part, taken away so that the kernel's can be seen to work.
const HANDLERS_PART: [&str; 3] = [
    "runtime/handler.rs",
    "Place::Inside(abort) => unsafe { set_program_counter(context, abort) },",
    "Place::Inside(_) => { let _ = set_program_counter as unsafe fn(_, _); }",
];

impl Row {
    fn by_the_kernel_alone(self) -> Row {
        let [file, old, new] = HANDLERS_PART;
        self.edit(file, old, new)
    }
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the window tests the flag", "the jump to `stopped`")
            .edit(FILE, r#""je 25b","#, r#""nop","#)
            .caught_by("races::window_steps::a_request_at_each_instruction", HANDLER)
            .caught_by("runtime::lifecycle::a_request_before_the_thread_runs", RSEQ),
        row("the window begins before the flag test", "it begins behind it")
            .edit(FILE, r#""22:", // start"#, "")
            .edit(FILE, r#""je 25b","#, r#""je 25b", "22:","#)
            .caught_by("races::window_injected::preempted", WINDOWS),
        row("the window ends behind the call", "it ends before it")
            .edit(
                FILE,
                r#"".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".long 0, 0",
            ".quad 22f, 23f - 22f, 24f","#,
                r#"".pushsection stop_windows, \"aw\", @progbits",
            ".balign 32",
            "20:",
            ".long 0, 0",
            ".quad 22f, 23f - 22f - 2, 24f","#,
            )
            .caught_by("races::window_steps::a_request_at_each_instruction", HANDLER)
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", WINDOWS),
        row("the marker is set", "the store of 1")
            .edit(FILE, r#""mov dword ptr [{line} + 4], 1","#, "")
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", WINDOWS),
        row("the marker is set before the flag is tested", "set after it")
            .edit(FILE, r#""mov dword ptr [{line} + 4], 1","#, "")
            .edit(FILE, r#""je 25b","#, r#""je 25b", "mov dword ptr [{line} + 4], 1","#)
            .caught_by("races::window_injected::on_two_cores", WINDOWS),
        row("the marker is cleared after the call", "the store of 0")
            .edit(FILE, r#""mov dword ptr [{line} + 4], 0","#, "")
            .caught_by("signals::undisturbed::a_plain_read_sleeps_on", WINDOWS)
            .core(),
        row(
            "the kernel aborts a window (rseq)",
            "its descriptor is not stored; nor the handler's part",
        )
        .edit(FILE, r#""mov qword ptr [r15], rcx","#, "")
        .by_the_kernel_alone()
        .caught_by("races::window_injected::on_two_cores", RSEQ),
        row(
            "an aborted window is one again (rseq)",
            "`abort` goes on at `start`; nor the handler's part",
        )
        .edit(FILE, r#""jmp 21f","#, r#""jmp 22f","#)
        .by_the_kernel_alone()
        .caught_by("races::window_injected::interrupted_before", RSEQ),
        row("`rseq_cs` points nowhere after the call", "the store of 0")
            .edit(FILE, r#""mov qword ptr [r15], 0","#, "")
            .caught_by("races::left_behind::no_descriptor", RSEQ)
            .core(),
        row("`abort` goes back before the flag test", "it goes to the call")
            .edit(FILE, r#""jmp 21f","#, r#""jmp 28f","#)
            .edit(FILE, r#""syscall","#, r#""28:", "syscall","#)
            .caught_by("runtime::lifecycle::threads_of_others_can_be_stopped", WINDOWS),
        row(
            "`abort` keeps the number, which may be `restart_syscall`",
            "it loads the caller's again",
        )
        .edit(FILE, r#""24:", // abort"#, r#""24:", "mov rax, {number}","#)
        .edit(FILE, "line = in(reg) $line,", "line = in(reg) $line, number = in(reg) $number,")
        .caught_by("signals::strays::a_stop_of_the_process_moves_no_deadline", RSEQ),
        row("a shield holds a request: the flag is exactly 1", "bit 0 alone is tested")
            .edit(
                FILE,
                r#""cmp dword ptr [{line}], 1",
            $($delay,)?
            "je 25b","#,
                r#""test dword ptr [{line}], 1",
            $($delay,)?
            "jne 25b","#,
            )
            .caught_by(
                "runtime::lifecycle_held::in_a_shield_calls_begin_although_a_stop_is_requested",
                WINDOWS,
            )
            .core(),
        row("a program without a window links", "the descriptor that is empty")
            .edit(
                FILE,
                r#"".hidden __stop_stop_windows",
            ".pushsection stop_windows,"#,
                r#"".hidden __stop_stop_windows",
            ".pushsection .data.none,"#,
            )
            .caught_by("built::linking::checkpoints::checkpoints_alone_link_and_stop", ITSELF),
        row("the handler finds windows in whatever image", "those of its own image alone")
            .edit("window/mod.rs", "in stored.into_iter().chain(windows())", "in windows()")
            .edit("window/mod.rs", "let stored = unsafe", "let _ = unsafe")
            .caught_by(
                "built::linking::dylib::windows_outside_of_the_runtimes_library_are_found",
                ITSELF,
            ),
        row("and those whose descriptor the kernel has taken away", "the table")
            .edit("window/mod.rs", ".chain(windows())", "")
            .caught_by("signals::undisturbed_traced::a_stopped_sleep_takes_one_signal", RSEQ),
    ]
}
