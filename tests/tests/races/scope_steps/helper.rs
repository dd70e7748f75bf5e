//! The helper of deadlines is held.

use super::Steps;
use super::tracee::{self, Asks, STOPPED, serve};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use stop_tests::per_backend;
use stop_tests::proc::wait_for;
use stop_tests::ptrace::{Event, Go, Traced};
use stop_tests::tracee::line_to_tracer;
use stop_tests::way::Way;

/// The helper's id.
fn helper_of(process: i32) -> Option<i32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("the process is there");
    let mut tasks = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
    tasks.find(|task| {
        let name = fs::read_to_string(format!("/proc/{process}/task/{task}/comm"));
        name.is_ok_and(|name| name.trim() == "stop-deadlines")
    })
}

/// Whether it waits in a futex until a time that never comes.
fn sleeps_for_good(helper: i32) -> bool {
    let text = fs::read_to_string(format!("/proc/{helper}/syscall")).unwrap_or_default();
    let words: Vec<_> = text.split_whitespace().collect();
    if words.first() != Some(&&*libc::SYS_futex.to_string()) {
        return false;
    }
    let address = u64::from_str_radix(words[4].trim_start_matches("0x"), 16).expect("an address");
    let mut seconds = [0; 8];
    let memory = File::open(format!("/proc/{helper}/mem")).expect("our child's");
    memory.read_exact_at(&mut seconds, address).is_ok()
        && u64::from_ne_bytes(seconds) == u64::MAX / 1_000_000_000
}

pub(super) fn wait_until_it_sleeps(steps: &mut Steps) {
    let process = steps.tracee.process();
    wait_for("the helper to sleep", || helper_of(process).is_some_and(sleeps_for_good));
}

/// Woken for nothing, and held at the end of its wait.
fn woken(steps: &mut Steps) -> Traced {
    wait_until_it_sleeps(steps);
    let process = steps.tracee.process();
    let helper = Traced::seize(process, helper_of(process).expect("it sleeps"));
    assert!(helper.interrupt());
    assert_eq!(helper.wait(), Event::Other);
    helper.go(Go::ToCall, 0);
    assert_eq!(helper.wait(), Event::Call);
    helper.go(Go::ToCall, 0);
    steps.line.command(b'h');
    assert_eq!(helper.wait(), Event::Call);
    helper
}

/// Whether its next instruction is a wait.
fn is_to_wait(helper: &Traced) -> bool {
    helper.is_at_call() && helper.registers().rax == libc::SYS_futex as u64
}

per_backend! {
    fn a_helper_in_its_round_misses_no_deadline() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::times_out, Asks::Another);
        }
        let mut steps = Steps::new();
        // Starts it.
        steps.thread();
        steps.line.command(b'g');
        assert_eq!(steps.outcome(), STOPPED);
        let helper = woken(&mut steps);
        let mut barriers = 0;
        let way = Way::of(&helper, is_to_wait, |helper| {
            // Step by step nothing depends on it.
            let barrier = libc::SYS_membarrier as u64;
            barriers += u32::from(helper.is_at_call() && helper.registers().rax == barrier);
        });
        helper.detach();
        let windows = stopruntime::backend() != stopruntime::Backend::Ppoll;
        assert_eq!(barriers, u32::from(windows), "between its plan and its second look");
        for place in way.places(60) {
            let helper = woken(&mut steps);
            way.run_to(&helper, place);
            steps.thread();
            steps.line.command(b'g');
            steps.wait_for(2);
            helper.detach();
            assert_eq!(steps.outcome(), STOPPED, "held at {place:x?}");
        }
    }
}
