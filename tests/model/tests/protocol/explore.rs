//! Breadth-first search over all states, so that what it finds comes with a
//! shortest trace.

use super::state::{Config, Fault, Pc, Pending, REQUESTED, SHIELDED, State};
use super::{kernel, requester, thread};
use std::collections::{HashMap, VecDeque};

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

/// Which side does what, and what comes of it.
type Step = (Label, State);
type Label = [&'static str; 2];

/// What the thread and its requesters do by themselves.
fn own_steps(state: &State, config: &Config) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |who, step: Option<(&'static str, State)>| {
        steps.extend(step.map(|(label, next)| ([who, label], next)));
    };
    add("thread", thread::step(state, config));
    for which in 0..state.requesters.len() {
        add(["requester 1", "requester 2"][which], requester::step(state, config, which));
    }
    add("kernel", kernel::deliver(state, config));
    add("kernel", kernel::wake(state, config));
    if state.buffered[0].is_some() {
        let mut next = state.clone();
        next.write_back();
        add("core", Some(("the marker becomes visible", next)));
    }
    steps
}

/// What may happen to them or may not.
fn steps_of_the_world(state: &State, config: &Config) -> Vec<Step> {
    let mut steps = Vec::new();
    if state.data_to_come > 0 {
        let mut next = state.clone();
        next.data_to_come -= 1;
        next.data += 1;
        steps.push((["world", "data arrives"], next));
    }
    if let Some((label, next)) = kernel::deliver_foreign(state, config) {
        steps.push((["kernel", label], next));
    }
    if state.pending.is_some_and(|signal| signal.latest) {
        let mut next = state.clone();
        next.pending = Some(Pending { latest: false });
        steps.push((["kernel", "drops the siginfo over the limit"], next));
    }
    let mut preempted = state.clone();
    kernel::abort(&mut preempted);
    if preempted != *state {
        steps.push((["kernel", "preempts the thread"], preempted));
    }
    steps
}

pub(crate) fn explore(config: &Config) -> Found {
    let start = State::start(config);
    let mut numbers = HashMap::from([(start.clone(), 0_usize)]);
    // For each state: how it was reached first, and by whose own steps it can be left.
    let mut reached = vec![(0_usize, [""; 2])];
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut ends = Vec::new();
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        let number = numbers[&state];
        let own = own_steps(&state, config);
        let stuck = own.is_empty() && state.pc != Pc::Ended && state.flag == REQUESTED;
        let fault = state.fault.or(stuck.then_some(Fault::SleepsForEver));
        if fault.is_some() {
            return Found { fault, states: numbers.len(), trace: trace(&reached, number) };
        }
        // Under a shield it may wait for what the world has not sent.
        if state.pc == Pc::Ended || state.sleeping && state.flag & SHIELDED != 0 {
            ends.push(number);
        }
        let own_count = own.len();
        let all = own.into_iter().chain(steps_of_the_world(&state, config));
        for (at, (label, next)) in all.enumerate() {
            let new = numbers.len();
            let target = *numbers.entry(next.clone()).or_insert(new);
            if target == new {
                reached.push((number, label));
                before.push(Vec::new());
                open.push_back(next);
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
