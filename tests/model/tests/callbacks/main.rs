//! Callbacks of scopes, explored exhaustively: a thread that adds one and withdraws it, a
//! requester of its scope or of the one above (`request`, `request_at` of
//! `runtime/scopes/request.rs`), the thread that runs them (`runtime/scopes/callbacks.rs`),
//! on which another callback stands in front of it, and time.
//!
//! A run that can go no further has run the callback once, unless it was withdrawn; once it
//! is withdrawn it neither runs nor begins to. Each step that is taken out breaks that in
//! some run. What a lock covers is one step.

mod state;

use core::hash::BuildHasherDefault;
use state::Place::{Done, Due, Listed, Nowhere, Running};
use state::{ABOVE, Asks, Config, IT, LAST, NEVER, OTHER, OWN, State, Thread, Watcher, Without};
use std::collections::{HashSet, VecDeque};
use stop_model::Mix;

fn watcher(state: &State, config: Config, without: Without) -> Option<State> {
    let mut next = *state;
    let after = if config.withdraws { Watcher::Withdraws } else { Watcher::Ends };
    next.watcher = match state.watcher {
        Watcher::Adds => {
            next.places[IT] = Listed;
            Watcher::Marks(OWN)
        }
        Watcher::Marks(scope) => {
            next.watched[scope] = scope == OWN || without != Without::Upwards;
            if scope == OWN { Watcher::Marks(ABOVE) } else { Watcher::Looks }
        }
        Watcher::Looks if without == Without::SecondLook => after,
        Watcher::Looks if state.is_stopped() => Watcher::Takes,
        Watcher::Looks if state.earliest_deadline() != NEVER => match without {
            Without::TellsOfDeadline => after,
            _ => Watcher::Counts,
        },
        Watcher::Looks => after,
        Watcher::Takes => {
            if matches!(state.places[IT], Listed | Due) {
                if without != Without::Take {
                    next.places[IT] = Done;
                }
                next.runs(IT);
            }
            after
        }
        Watcher::Counts => {
            next.notified += 1;
            Watcher::Wakes
        }
        Watcher::Wakes => {
            next.wake_thread();
            after
        }
        Watcher::Withdraws => {
            match state.places[IT] {
                Listed => next.places[IT] = Nowhere,
                Due if without != Without::Due => next.places[IT] = Nowhere,
                _ if state.running == Some(IT) && without != Without::Waits => {
                    next.seen_returned = state.returned;
                    let reads_later = without == Without::ReadUnderLock;
                    next.watcher =
                        if reads_later { Watcher::ReadsReturned } else { Watcher::FallsAsleep };
                    return Some(next);
                }
                _ => {}
            }
            next.withdrawn();
            return Some(next);
        }
        Watcher::ReadsReturned => {
            next.seen_returned = state.returned;
            Watcher::FallsAsleep
        }
        Watcher::FallsAsleep if state.returned == state.seen_returned => Watcher::Sleeps,
        Watcher::FallsAsleep => Watcher::Withdraws,
        Watcher::Sleeps | Watcher::Ends => return None,
    };
    Some(next)
}

fn requester(state: &State, config: Config, without: Without) -> Option<State> {
    let mut next = *state;
    let (scope, later) = match config.asks {
        Asks::Request(scope) => (scope, false),
        Asks::At(scope) => (scope, true),
        Asks::Nothing(_) => return None,
    };
    let asks = |next: &mut State| {
        if later { next.deadlines[scope] = 1 } else { next.requested[scope] = true }
    };
    let last = without == Without::StateFirst;
    next.requester += 1;
    match state.requester {
        // One word of the scope has both: a request sees it in the same step.
        0 if !last => {
            asks(&mut next);
            if !later {
                next.saw_watched = state.watched[scope];
            }
        }
        0 => next.saw_watched = state.watched[scope],
        1 if last => asks(&mut next),
        1 if later => next.saw_watched = state.watched[scope],
        2 | 3 if !state.saw_watched || without == Without::Notify => {}
        2 if without != Without::Count => next.notified += 1,
        1 | 2 => {}
        3 => next.wake_thread(),
        _ => return None,
    }
    Some(next)
}

fn thread(state: &State, config: Config, without: Without) -> Option<State> {
    let mut next = *state;
    next.thread = match state.thread {
        Thread::ReadsCount => {
            next.seen_notified = state.notified;
            Thread::Finds
        }
        Thread::Finds => {
            for place in next.places.iter_mut().filter(|place| **place == Listed) {
                if state.is_stopped() {
                    *place = Due;
                }
            }
            let listed = next.places.contains(&Listed);
            next.earliest = if listed { state.earliest_deadline() } else { NEVER };
            Thread::Takes
        }
        Thread::Takes => match [OTHER, IT].into_iter().find(|which| state.places[*which] == Due) {
            Some(which) => {
                next.places[which] = Running;
                if without == Without::Running {
                    Thread::SaysWhat(which)
                } else {
                    next.running = Some(which);
                    next.runs(which);
                    Thread::Runs(which)
                }
            }
            None => Thread::FallsAsleep,
        },
        Thread::SaysWhat(which) => {
            next.running = Some(which);
            next.runs(which);
            Thread::Runs(which)
        }
        Thread::Runs(IT) if config.withdraws_itself && without == Without::Itself => {
            Thread::WaitsForItself
        }
        Thread::Runs(which) => {
            next.places[which] = Done;
            if without == Without::ClearFirst { Thread::Counts } else { Thread::Clears }
        }
        Thread::Clears => {
            next.running = None;
            if without == Without::ClearFirst { Thread::Takes } else { Thread::Counts }
        }
        Thread::Counts => {
            next.returned += 1;
            Thread::Wakes
        }
        Thread::Wakes => {
            if state.watcher == Watcher::Sleeps && without != Without::Wake {
                next.watcher = Watcher::Withdraws;
            }
            if without == Without::ClearFirst { Thread::Clears } else { Thread::Takes }
        }
        Thread::FallsAsleep => {
            let seen = state.seen_notified;
            let is_same = without == Without::CountFirst || seen == state.notified;
            if is_same { Thread::Sleeps } else { Thread::ReadsCount }
        }
        Thread::Sleeps if state.time >= state.earliest && without != Without::Time => {
            Thread::ReadsCount
        }
        Thread::Sleeps | Thread::WaitsForItself => return None,
    };
    Some(next)
}

/// How many states there are; none if something is wrong in one.
fn explore(config: Config, without: Without) -> Option<usize> {
    let start = State::start(config);
    let mut seen: HashSet<State, BuildHasherDefault<Mix>> = HashSet::default();
    seen.insert(start);
    let mut open = VecDeque::from([start]);
    while let Some(state) = open.pop_front() {
        let steps = [watcher, requester, thread].map(|step| step(&state, config, without));
        let mut all: Vec<State> = steps.into_iter().flatten().collect();
        if state.time < LAST {
            all.push(State { time: state.time + 1, ..state });
        }
        let is_over = state.watcher == Watcher::Ends && state.thread == Thread::Sleeps;
        let has_run = state.ran == 1 || state.is_withdrawn || !state.is_stopped();
        if state.is_broken || all.is_empty() && !(is_over && has_run) {
            return None;
        }
        open.extend(all.into_iter().filter(|next| seen.insert(*next)));
    }
    Some(seen.len())
}

fn configs() -> impl Iterator<Item = Config> {
    use Asks::{At, Nothing, Request};
    let asks = [Request(OWN), Request(ABOVE), At(OWN), At(ABOVE), Nothing(1), Nothing(NEVER)];
    asks.into_iter().flat_map(|asks| {
        [(false, false), (true, false), (false, true)].map(|(withdraws, withdraws_itself)| Config {
            asks,
            withdraws,
            withdraws_itself,
        })
    })
}

#[test]
fn a_callback_runs_once_unless_it_is_withdrawn() {
    let states: Vec<_> = configs().map(|config| explore(config, Without::Nothing)).collect();
    println!("{states:?} states");
    assert!(states.iter().all(Option::is_some));
}

#[test]
fn not_without_any_of_the_steps() {
    for without in [
        Without::Upwards,
        Without::SecondLook,
        Without::TellsOfDeadline,
        Without::Take,
        Without::StateFirst,
        Without::Notify,
        Without::Count,
        Without::CountFirst,
        Without::Time,
        Without::Running,
        Without::Due,
        Without::Waits,
        Without::Itself,
        Without::ReadUnderLock,
        Without::ClearFirst,
        Without::Wake,
    ] {
        let missed = configs().any(|config| explore(config, without).is_none());
        assert!(missed, "nothing is missed without {without:?}");
    }
}
