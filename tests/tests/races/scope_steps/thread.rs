//! The thread is held.

use super::tracee::{self, Asks, READ, STOPPED, serve};
use super::{MARKED, Steps, helper};
use stop_tests::per_backend;
use stop_tests::proc::{asleep_in, wait_for};
use stop_tests::ptrace::{Event, Traced};
use stop_tests::tracee::line_to_tracer;
use stop_tests::way::Way;

/// The helper of deadlines is waited for at each of them.
const WITH_HELPER: u64 = 80;

impl Steps {
    /// A new thread, at its first trap.
    fn held(&mut self) -> Traced {
        self.thread();
        let thread = Traced::seize(self.tracee.process(), self.thread);
        self.line.command(b'g');
        assert_eq!(thread.wait(), Event::Trap);
        thread
    }
}

/// Goes on to its last trap, and is left alone.
fn let_go(thread: Traced) {
    let id = thread.thread();
    assert!(thread.run(true, false), "hangs in {:?}", asleep_in(id));
    thread.detach();
}

/// At so many places at most from the first trap to the second one something happens; how the
/// marked call comes out that follows.
fn held_at(most: u64, happens: impl Fn(&mut Steps), before: impl Fn(&mut Steps), expected: u8) {
    let mut steps = Steps::new();
    let mut gone = || {
        let thread = steps.held();
        let way = Way::of(&thread, Traced::is_at_trap, |_, _| {});
        let_go(thread);
        steps.line.command(if expected == READ { b'd' } else { b't' });
        steps.outcome();
        way
    };
    // Twice, so that nothing is new the second time.
    let [_, way] = [gone(), gone()];
    for place in way.places(most) {
        before(&mut steps);
        let thread = steps.held();
        way.run_to(&thread, place);
        happens(&mut steps);
        let_go(thread);
        if expected == READ {
            let thread = steps.thread;
            wait_for("its call", || asleep_in(thread).is_some_and(|call| MARKED.contains(&call)));
            steps.line.command(b'd');
        }
        assert_eq!(steps.outcome(), expected, "held at {place:x?}");
    }
}

fn is_requested(steps: &mut Steps) {
    steps.line.command(b'j');
}

fn its_thread_is_requested(steps: &mut Steps) {
    steps.line.command(b't');
}

per_backend! {
    fn a_thread_that_enters_is_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::opens, Asks::Another),
            None => held_at(300, is_requested, |_| {}, STOPPED),
        }
    }

    fn a_thread_that_leaves_is_not_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::closes, Asks::Another),
            None => held_at(300, is_requested, |_| {}, READ),
        }
    }

    fn a_thread_that_leaves_a_shield_is_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::unshields, Asks::Another),
            None => held_at(300, is_requested, |_| {}, STOPPED),
        }
    }

    fn a_thread_that_leaves_a_shield_is_stopped_by_itself() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::unshields, Asks::Another),
            None => held_at(300, its_thread_is_requested, |_| {}, STOPPED),
        }
    }

    fn a_thread_that_looks_is_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::looks, Asks::Another),
            None => held_at(300, is_requested, |_| {}, STOPPED),
        }
    }

    /// The helper wakes up for another one meanwhile, and plans without this one.
    fn a_deadline_that_is_armed_passes() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::arms, Asks::Another),
            None => held_at(
                WITH_HELPER,
                helper::wait_until_it_sleeps,
                |steps| steps.line.command(b'l'),
                STOPPED,
            ),
        }
    }

    /// As the inner one has passed.
    fn a_deadline_that_comes_back_passes() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::disarms, Asks::Another),
            None => held_at(WITH_HELPER, helper::wait_until_it_sleeps, |_| {}, STOPPED),
        }
    }
}
