//! The thread is held.

use super::tracee::{self, Asks, READ, STOPPED, serve};
use super::{MARKED, Steps, helper};
use crate::requester_steps::{chosen, step, to_the_next_trap};
use stop_tests::proc::{asleep_in, wait_for};
use stop_tests::ptrace::{Event, Traced};
use stop_tests::tracee::line_to_tracer;
use stop_tests::{everything, per_backend};

impl Steps {
    /// A new thread, at its first trap.
    fn held(&mut self) -> Traced {
        self.thread_of(b'n');
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

/// At each instruction from the first trap to the second one something happens; how the
/// marked call comes out that follows.
fn held_at_each(happens: impl Fn(&mut Steps), before: impl Fn(&mut Steps), expected: u8) {
    let mut steps = Steps::new();
    let mut count = 0;
    // Twice, so that nothing is new the second time.
    for _ in 0..2 {
        let thread = steps.held();
        count = to_the_next_trap(&thread);
        let_go(thread);
        steps.line.command(if expected == READ { b'd' } else { b't' });
        steps.outcome();
    }
    // Some of them wait for deadlines each time.
    let part = if everything() { 3 } else { 1 };
    for index in chosen(count).step_by(part) {
        before(&mut steps);
        let thread = steps.held();
        // As far as it goes: its way is not always as long.
        (0..index).take_while(|_| !thread.is_at_trap()).for_each(|_| step(&thread, 1));
        happens(&mut steps);
        let_go(thread);
        if expected == READ {
            let thread = steps.thread;
            wait_for("its call", || asleep_in(thread).is_some_and(|call| MARKED.contains(&call)));
            steps.line.command(b'd');
        }
        assert_eq!(steps.outcome(), expected, "held at {index}");
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
            None => held_at_each(is_requested, |_| {}, STOPPED),
        }
    }

    fn a_thread_that_leaves_is_not_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::closes, Asks::Another),
            None => held_at_each(is_requested, |_| {}, READ),
        }
    }

    fn a_thread_that_leaves_a_shield_is_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::unshields, Asks::Another),
            None => held_at_each(is_requested, |_| {}, STOPPED),
        }
    }

    fn a_thread_that_leaves_a_shield_is_stopped_by_itself() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::unshields, Asks::Another),
            None => held_at_each(its_thread_is_requested, |_| {}, STOPPED),
        }
    }

    fn a_thread_that_looks_is_stopped() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::looks, Asks::Another),
            None => held_at_each(is_requested, |_| {}, STOPPED),
        }
    }

    /// The helper wakes up for another one meanwhile, and plans without this one.
    fn a_deadline_that_is_armed_passes() {
        match line_to_tracer() {
            Some(line) => serve(line, tracee::arms, Asks::Another),
            None => held_at_each(
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
            None => held_at_each(helper::wait_until_it_sleeps, |_| {}, STOPPED),
        }
    }
}
