//! Breadth-first search over all states, so that what it finds comes with a
//! shortest trace.

use super::config::{Config, Without};
use super::program::{DEADLINE, Op, REUSED};
use super::state::{Fault, Pc, Pending, State};
use super::{kernel, requester, thread};
use core::hash::BuildHasherDefault;
use std::collections::{HashMap, VecDeque};
use stop_model::Mix;

pub(crate) struct Found {
    pub(crate) fault: Option<Fault>,
    pub(crate) states: usize,
    trace: Vec<String>,
}

impl Found {
    pub(crate) fn describe(&self) -> String {
        format!("{:?} after\n  {}", self.fault, self.trace.join("\n  "))
    }
}

/// Who does what, and what comes of it.
type Step = (Label, State);
type Label = [&'static str; 2];

/// What the thread and its requesters do by themselves.
fn own_steps(state: &State, config: &Config) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |who, step: Option<(&'static str, State)>| {
        steps.extend(step.map(|(label, next)| ([who, label], next)));
    };
    add("thread", thread::step(state, config));
    for (which, who) in ["requester 1", "requester 2", "helper"].into_iter().enumerate() {
        add(who, requester::step(state, config, which));
    }
    add("kernel", kernel::deliver(state, config));
    add("kernel", kernel::wake(state, config));
    if state.buffered[0].is_some() {
        let mut next = *state;
        next.write_back();
        add("core", Some(("a store becomes visible", next)));
    }
    if config.targets[2] == DEADLINE && !state.late {
        add("clock", Some(("the deadline passes", State { late: true, ..*state })));
    }
    let was_in = config.program[..state.op].contains(&Op::Open(REUSED));
    if was_in && !state.has_open(REUSED, config) && !state.is_reused {
        add("other", Some(("takes the cell", State { is_reused: true, ..*state })));
    }
    if config.is_without(Without::OneClock) && state.late && !state.late_behind {
        add("clock", Some(("also on the other clock", State { late_behind: true, ..*state })));
    }
    steps
}

/// What may happen to them or may not.
fn steps_of_the_world(state: &State, config: &Config) -> Vec<Step> {
    let mut steps = Vec::new();
    if state.data_to_come > 0 {
        let mut next = *state;
        next.data_to_come -= 1;
        next.data += 1;
        steps.push((["world", "data arrives"], next));
    }
    if let Some((label, next)) = kernel::deliver_foreign(state, config) {
        steps.push((["kernel", label], next));
    }
    if config.foreign && state.pending.is_some_and(|signal| signal.latest) {
        let mut next = *state;
        next.pending = Some(Pending { latest: false });
        steps.push((["kernel", "drops the siginfo over the limit"], next));
    }
    let mut preempted = *state;
    kernel::abort(&mut preempted);
    if preempted != *state {
        steps.push((["kernel", "preempts the thread"], preempted));
    }
    steps
}

pub(crate) fn explore(config: &Config) -> Found {
    let start = State::start(config);
    let mut numbers: HashMap<State, usize, BuildHasherDefault<Mix>> = HashMap::default();
    numbers.insert(start, 0);
    // For each state: how it was reached first, and by whose own steps it can be left.
    let mut reached = vec![(0_usize, [""; 2])];
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut ends = Vec::new();
    let mut open = VecDeque::from([(start, 0)]);
    while let Some((state, number)) = open.pop_front() {
        let own = own_steps(&state, config);
        let stuck = own.is_empty()
            && state.pc != Pc::Ended
            && state.foreign.is_none()
            && state.is_stopped(config);
        let fault = state.fault.or(stuck.then_some(Fault::SleepsForEver));
        if fault.is_some() {
            return Found { fault, states: numbers.len(), trace: trace(&reached, number) };
        }
        // Where nothing is stopped it may wait for what the world has not sent.
        let waits = state.sleeping && state.pc != Pc::Unmarked && !state.is_stopped(config);
        if state.pc == Pc::Ended || waits {
            ends.push(number);
        }
        let own_count = own.len();
        let all = own.into_iter().chain(steps_of_the_world(&state, config));
        for (at, (label, next)) in all.enumerate() {
            let new = numbers.len();
            let target = *numbers.entry(next).or_insert(new);
            if target == new {
                reached.push((number, label));
                before.push(Vec::new());
                open.push_back((next, new));
            }
            if at < own_count {
                before[target].push(number);
            }
        }
    }
    let trapped = first_that_cannot_reach(&before, ends);
    Found {
        fault: trapped.map(|_| Fault::Trapped),
        states: numbers.len(),
        trace: trapped.map(|number| trace(&reached, number)).unwrap_or_default(),
    }
}

fn trace(reached: &[(usize, Label)], mut number: usize) -> Vec<String> {
    let mut steps = Vec::new();
    while number != 0 {
        let (from, label) = reached[number];
        steps.push(label.join(": "));
        number = from;
    }
    steps.reverse();
    steps
}

/// The first state from which no end is reached, going back from the ends.
fn first_that_cannot_reach(before: &[Vec<usize>], ends: Vec<usize>) -> Option<usize> {
    let mut can = vec![false; before.len()];
    let mut open = ends;
    while let Some(number) = open.pop() {
        if !core::mem::replace(&mut can[number], true) {
            open.extend(&before[number]);
        }
    }
    can.iter().position(|can| !can)
}
