//! Deadlines against the one helper that sleeps, explored exhaustively: two threads that
//! enter and leave scopes with deadlines (`arm` of `runtime/scopes/publish.rs`), their
//! store buffers, the helper (`runtime/scopes/helper.rs`), and time.
//!
//! A run that can go no further has told every thread whose deadline has passed. Each
//! step that is taken out leaves a thread untold in some run.

use core::hash::BuildHasherDefault;
use std::collections::{HashSet, VecDeque};
use stop_model::Mix;

const NEVER: u8 = 9;
/// Where time ends.
const LAST: u8 = 4;

/// What a thread's deadline becomes, one after the other: as it enters a scope, or
/// leaves one (`true`) and the outer one's comes back.
type Program = &'static [(u8, bool)];

const PROGRAMS: [[Program; 2]; 5] = [
    [&[(3, false)], &[(2, false)]],
    [&[(3, false), (1, false), (3, true)], &[(2, false)]],
    [&[(1, false), (NEVER, true), (3, false)], &[(2, false), (NEVER, true), (1, false)]],
    [&[(4, false), (2, false), (4, true)], &[(3, false), (NEVER, true)]],
    [&[(1, false)], &[(1, false), (NEVER, true), (2, false)]],
];

/// What is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The thread looks at the helper's plan before it stores its deadline.
    StoreFirst,
    /// It does not look.
    Check,
    /// Not as it leaves a scope.
    CheckOnLeaving,
    /// It does not count up what the helper sleeps on.
    Count,
    /// The helper reads that only before it sleeps.
    SequenceFirst,
    /// The barrier between its plan and its second look.
    Barrier,
    SecondLook,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Thread {
    at: usize,
    step: u8,
    /// Its deadline, as it knows it and as others see it.
    own: u8,
    seen: u8,
    /// Stores that no other core sees yet, the oldest first; 0: none.
    buffered: [u8; 2],
    plan: u8,
    /// The deadline that it has been told of.
    told: u8,
}

/// Where the helper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Helper {
    Begins,
    /// At this thread.
    Looks(usize),
    Plans,
    Barrier,
    LooksAgain(usize),
    FallsAsleep,
    Sleeps,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    time: u8,
    threads: [Thread; 2],
    next: u8,
    sequence: u8,
    helper: Helper,
    seen: u8,
    now: u8,
    earliest: u8,
}

impl State {
    fn start() -> State {
        let thread =
            Thread { at: 0, step: 0, own: NEVER, seen: NEVER, buffered: [0; 2], plan: 0, told: 0 };
        State {
            time: 0,
            threads: [thread; 2],
            next: NEVER,
            sequence: 0,
            helper: Helper::Begins,
            seen: 0,
            now: 0,
            earliest: NEVER,
        }
    }
}

impl Thread {
    fn store(&mut self, deadline: u8) {
        self.own = deadline;
        match self.buffered {
            [0, _] => self.buffered[0] = deadline,
            [_, 0] => self.buffered[1] = deadline,
            [oldest, other] => (self.seen, self.buffered) = (oldest, [other, deadline]),
        }
    }

    fn fence(&mut self) {
        for deadline in core::mem::take(&mut self.buffered) {
            if deadline != 0 {
                self.seen = deadline;
            }
        }
    }
}

/// A thread's next step.
fn thread(state: &State, which: usize, program: Program, without: Without) -> Option<State> {
    let mut next = *state;
    let plan = state.next;
    let mine = &mut next.threads[which];
    let (deadline, leaves) = *program.get(mine.at)?;
    let stores = (mine.step == 0) == (without != Without::StoreFirst);
    match mine.step {
        0 | 1 if stores => mine.store(deadline),
        0 | 1 => mine.plan = plan,
        2 => {
            // An atomic minimum: a fence as well.
            mine.fence();
            next.next = plan.min(deadline);
        }
        _ => {
            if without != Without::Count {
                next.sequence = (next.sequence + 1) % 8;
            }
            if next.helper == Helper::Sleeps {
                next.helper = Helper::Begins;
            }
        }
    }
    let mine = &mut next.threads[which];
    mine.step += 1;
    if mine.step == 2 {
        let looks = without != Without::Check && !(leaves && without == Without::CheckOnLeaving);
        if !(looks && deadline < mine.plan) {
            mine.step = 4;
        }
    }
    if mine.step == 4 {
        (mine.at, mine.step, mine.plan) = (mine.at + 1, 0, 0);
    }
    Some(next)
}

/// The helper's next step; none while it sleeps.
fn helper(state: &State, without: Without) -> Option<State> {
    let mut next = *state;
    match next.helper {
        Helper::Begins => {
            (next.seen, next.now, next.earliest) = (next.sequence, next.time, NEVER);
            next.helper = Helper::Looks(0);
        }
        Helper::Looks(which) => {
            let seen = next.threads[which].seen;
            if seen <= next.now {
                next.threads[which].told = seen;
            } else {
                next.earliest = next.earliest.min(seen);
            }
            next.helper = if which == 0 { Helper::Looks(1) } else { Helper::Plans };
        }
        Helper::Plans => {
            next.next = next.earliest;
            let looks = without != Without::SecondLook;
            next.helper = if looks { Helper::Barrier } else { Helper::FallsAsleep };
        }
        Helper::Barrier => {
            if without != Without::Barrier {
                next.threads.iter_mut().for_each(Thread::fence);
            }
            next.helper = Helper::LooksAgain(0);
        }
        Helper::LooksAgain(which) => {
            let Thread { seen, told, .. } = next.threads[which];
            let earlier = seen > next.now && seen < next.earliest;
            next.helper = match which {
                _ if earlier || seen <= next.now && told != seen => Helper::Begins,
                0 => Helper::LooksAgain(1),
                _ => Helper::FallsAsleep,
            };
        }
        Helper::FallsAsleep => {
            if without == Without::SequenceFirst {
                next.seen = next.sequence;
            }
            let changed = next.seen != next.sequence;
            next.helper = if changed { Helper::Begins } else { Helper::Sleeps };
            next.now = 0;
        }
        Helper::Sleeps if next.earliest != NEVER && next.time >= next.earliest => {
            next.helper = Helper::Begins;
        }
        Helper::Sleeps => return None,
    }
    Some(next)
}

fn steps(state: &State, programs: &[Program; 2], without: Without) -> Vec<State> {
    let mut all = Vec::new();
    if state.time < LAST {
        all.push(State { time: state.time + 1, ..*state });
    }
    for (which, program) in programs.iter().enumerate() {
        if state.threads[which].buffered[0] != 0 {
            let mut next = *state;
            let mine = &mut next.threads[which];
            (mine.seen, mine.buffered) = (mine.buffered[0], [mine.buffered[1], 0]);
            all.push(next);
        }
        all.extend(thread(state, which, program, without));
    }
    all.extend(helper(state, without));
    all
}

/// How many states there are; none if a thread is left untold in the end of a run.
fn explore(programs: &[Program; 2], without: Without) -> Option<usize> {
    let start = State::start();
    let mut seen: HashSet<State, BuildHasherDefault<Mix>> = HashSet::default();
    seen.insert(start);
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        let all = steps(&state, programs, without);
        let untold = |thread: &Thread| thread.own <= state.time && thread.told != thread.own;
        if all.is_empty() && state.threads.iter().any(untold) {
            return None;
        }
        for next in all {
            if seen.insert(next) {
                open.push_back(next);
            }
        }
    }
    Some(seen.len())
}

#[test]
fn each_thread_is_told_of_its_deadline() {
    let states = PROGRAMS.map(|programs| explore(&programs, Without::Nothing));
    println!("{states:?} states");
    assert!(states.iter().all(Option::is_some));
}

#[test]
fn not_without_any_of_the_steps() {
    for without in [
        Without::StoreFirst,
        Without::Check,
        Without::CheckOnLeaving,
        Without::Count,
        Without::SequenceFirst,
        Without::Barrier,
        Without::SecondLook,
    ] {
        let missed = PROGRAMS.iter().any(|programs| explore(programs, without).is_none());
        assert!(missed, "nothing is missed without {without:?}");
    }
}
