//! The helper of deadlines is held.

use super::Steps;
use super::tracee::{self, Asks, STOPPED, serve};
use stop_tests::per_backend;
use stop_tests::proc::{deadlines_helper, wait_for_deadlines_helper};
use stop_tests::ptrace::{Event, Go, Traced};
use stop_tests::tracee::line_to_tracer;
use stop_tests::way::Way;

pub(super) fn wait_until_it_sleeps(steps: &mut Steps) {
    wait_for_deadlines_helper(steps.tracee.process());
}

/// Woken for nothing, and held at the end of its wait.
fn woken(steps: &mut Steps) -> Traced {
    wait_until_it_sleeps(steps);
    let process = steps.tracee.process();
    let helper = Traced::seize(process, deadlines_helper(process).expect("it sleeps"));
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
        let way = Way::of(&helper, is_to_wait, |helper, _| {
            // Step by step nothing depends on it.
            let barrier = libc::SYS_membarrier as u64;
            barriers += u32::from(helper.registers().rax == barrier);
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
