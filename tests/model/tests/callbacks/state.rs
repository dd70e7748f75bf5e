//! What the model is in: the callback, its scopes, and who is where.

use Place::{Listed, Nowhere};

pub(crate) const NEVER: u8 = 9;
pub(crate) const LAST: u8 = 2;

/// The scope of the callback, and the one above it.
pub(crate) const OWN: usize = 0;
pub(crate) const ABOVE: usize = 1;

/// What is asked of which scope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Request(usize),
    /// At a time to come.
    At(usize),
    /// The scope has had this deadline from the beginning.
    Nothing(u8),
}

#[derive(Clone, Copy)]
pub(crate) struct Config {
    pub(crate) asks: Asks,
    pub(crate) withdraws: bool,
    /// The callback does so itself.
    pub(crate) withdraws_itself: bool,
}

/// What is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
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
pub(crate) enum Place {
    Nowhere,
    Listed,
    Due,
    Running,
    Done,
}

/// The callback that is added, and the one that is there.
pub(crate) const IT: usize = 0;
pub(crate) const OTHER: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thread {
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
pub(crate) enum Watcher {
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
pub(crate) struct State {
    pub(crate) time: u8,
    pub(crate) requested: [bool; 2],
    pub(crate) deadlines: [u8; 2],
    pub(crate) watched: [bool; 2],
    pub(crate) places: [Place; 2],
    pub(crate) ran: u8,
    pub(crate) is_withdrawn: bool,
    pub(crate) is_broken: bool,
    pub(crate) running: Option<usize>,
    pub(crate) notified: u8,
    pub(crate) returned: u8,
    pub(crate) thread: Thread,
    pub(crate) seen_notified: u8,
    pub(crate) earliest: u8,
    pub(crate) watcher: Watcher,
    pub(crate) seen_returned: u8,
    pub(crate) requester: u8,
    pub(crate) saw_watched: bool,
}

impl State {
    pub(crate) fn start(config: Config) -> State {
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

    pub(crate) fn is_stopped(&self) -> bool {
        self.requested.contains(&true) || self.earliest_deadline() <= self.time
    }

    pub(crate) fn earliest_deadline(&self) -> u8 {
        self.deadlines[OWN].min(self.deadlines[ABOVE])
    }

    pub(crate) fn runs(&mut self, which: usize) {
        if which == IT {
            self.ran += 1;
            self.is_broken |= self.is_withdrawn || self.ran > 1;
        }
    }

    pub(crate) fn wake_thread(&mut self) {
        if self.thread == Thread::Sleeps {
            self.thread = Thread::ReadsCount;
        }
    }

    /// Nothing of it may run from here on.
    pub(crate) fn withdrawn(&mut self) {
        self.is_withdrawn = true;
        self.is_broken |= matches!(self.thread, Thread::Runs(IT));
        self.watcher = Watcher::Ends;
    }
}
