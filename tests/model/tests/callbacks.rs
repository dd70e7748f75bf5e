//! Callbacks of scopes, explored exhaustively: a thread that adds one and withdraws it, a
//! requester of its scope or of the one above (`request`, `request_at` of
//! `runtime/scopes/request.rs`), the thread that runs them (`runtime/scopes/callbacks.rs`),
//! on which another callback stands in front of it, and time.
//!
//! A run that can go no further has run the callback once, unless it was withdrawn; once it
//! is withdrawn it neither runs nor begins to. Each step that is taken out breaks that in
//! some run. What a lock covers is one step.

use core::hash::BuildHasherDefault;
use std::collections::{HashSet, VecDeque};
use stop_model::Mix;

const NEVER: u8 = 9;
const LAST: u8 = 2;

/// The scope of the callback, and the one above it.
const OWN: usize = 0;
const ABOVE: usize = 1;

/// What is asked of which scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Request(usize),
    /// At a time to come.
    At(usize),
    /// The scope has had this deadline from the beginning.
    Nothing(u8),
}

#[derive(Clone, Copy)]
struct Config {
    asks: Asks,
    withdraws: bool,
    /// The callback does so itself.
    withdraws_itself: bool,
}

/// What is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The scope above is not said to be watched.
    Upwards,
    /// The scope is looked at before it is said to be watched.
    SecondLook,
    /// Of a scope that has a deadline the thread is not told.
    TellsOfDeadline,
    /// The callback is not taken off the list by the one that has found the stop.
    Take,
    /// The requester looks whether the scope is watched before it asks.
    StateFirst,
    Notify,
    /// It wakes the thread, and counts nothing up.
    Count,
    /// The thread reads the count only as it falls asleep.
    CountFirst,
    /// It sleeps without a time.
    Time,
    /// It says what it runs after the lock.
    Running,
    /// A withdrawal looks at the list alone, and not at what is due.
    Due,
    /// It does not wait,
    Waits,
    /// not even in the callback itself,
    Itself,
    /// or reads what it sleeps on after the lock.
    ReadUnderLock,
    /// The thread says that it runs nothing after it has counted.
    ClearFirst,
    Wake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Nowhere,
    Listed,
    Due,
    Running,
    Done,
}
use Place::{Done, Due, Listed, Nowhere, Running};

/// The callback that is added, and the one that is there.
const IT: usize = 0;
const OTHER: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thread {
    ReadsCount,
    Finds,
    Takes,
    SaysWhat(usize),
    Runs(usize),
    WaitsForItself,
    Clears,
    Counts,
    Wakes,
    FallsAsleep,
    Sleeps,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Watcher {
    Adds,
    Marks(usize),
    Looks,
    Takes,
    Counts,
    Wakes,
    Withdraws,
    ReadsReturned,
    FallsAsleep,
    Sleeps,
    Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    time: u8,
    requested: [bool; 2],
    deadlines: [u8; 2],
    watched: [bool; 2],
    places: [Place; 2],
    ran: u8,
    is_withdrawn: bool,
    is_broken: bool,
    running: Option<usize>,
    notified: u8,
    returned: u8,
    thread: Thread,
    seen_notified: u8,
    earliest: u8,
    watcher: Watcher,
    seen_returned: u8,
    requester: u8,
    saw_watched: bool,
}

impl State {
    fn start(config: Config) -> State {
        let own = if let Asks::Nothing(deadline) = config.asks { deadline } else { NEVER };
        State {
            time: 0,
            requested: [false; 2],
            deadlines: [own, NEVER],
            watched: [false; 2],
            places: [Nowhere, Listed],
            ran: 0,
            is_withdrawn: false,
            is_broken: false,
            running: None,
            notified: 0,
            returned: 0,
            thread: Thread::ReadsCount,
            seen_notified: 0,
            earliest: NEVER,
            watcher: Watcher::Adds,
            seen_returned: 0,
            requester: 0,
            saw_watched: false,
        }
    }

    fn is_stopped(&self) -> bool {
        self.requested.contains(&true) || self.earliest_deadline() <= self.time
    }

    fn earliest_deadline(&self) -> u8 {
        self.deadlines[OWN].min(self.deadlines[ABOVE])
    }

    fn runs(&mut self, which: usize) {
        if which == IT {
            self.ran += 1;
            self.is_broken |= self.is_withdrawn || self.ran > 1;
        }
    }

    fn wake_thread(&mut self) {
        if self.thread == Thread::Sleeps {
            self.thread = Thread::ReadsCount;
        }
    }

    /// Nothing of it may run from here on.
    fn withdrawn(&mut self) {
        self.is_withdrawn = true;
        self.is_broken |= matches!(self.thread, Thread::Runs(IT));
        self.watcher = Watcher::Ends;
    }
}

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
