//! What a state of this model is made of.

#![allow(clippy::struct_excessive_bools, reason = "words that are one bit wide")]

pub(crate) const NEVER: u8 = 9;
/// Where time ends.
pub(crate) const LAST: u8 = 2;

/// A thread in its call.
pub(crate) const ASLEEP: u8 = 2;

/// What the thread does; scopes are bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Open(u8),
    Close,
    Shield,
    Unshield,
    /// A marked call that nothing ends except a stop.
    Wait,
}
use Op::{Close, Open, Shield, Unshield, Wait};

pub(crate) const A: u8 = 1;
pub(crate) const B: u8 = 2;

/// What the thread does, and which scopes are given which deadlines.
pub(crate) type Program = (&'static [Op], [(u8, u8); 2]);

pub(crate) const PROGRAMS: [Program; 5] = [
    (&[Open(A), Wait, Close], [(A, 2), (A, 1)]),
    (&[Open(A), Close, Open(B), Wait, Close], [(A, 1), (B, 2)]),
    (&[Open(A), Open(B), Wait, Close, Wait, Close], [(A, 2), (B, 1)]),
    (&[Open(A), Shield, Unshield, Wait, Close], [(A, 2), (B, 1)]),
    (&[Open(A), Shield, Open(B), Wait, Close, Unshield, Wait, Close], [(A, 2), (B, 1)]),
];

/// What is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    Nothing,
    /// The thread does not look at the deadline of a scope that it enters.
    EntryLook,
    /// It does not put back the next deadline as it looks.
    PutBack,
    /// The helper does not put back the next one as it takes one.
    HelperPutsBack,
    /// Nor as it leaves a shield.
    PutBackAfterShield,
    /// The requester looks at what the thread runs under, and then lowers the deadline.
    DeadlineFirst,
    /// It makes no barrier.
    Barrier,
    /// It does not wake the helper.
    Wake,
    /// The helper tells the thread, and takes the word afterwards, whatever it is.
    TakenFirst,
    /// Its second look.
    SecondLook,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Helper {
    Begins,
    Looks,
    Takes,
    PutsBack,
    Tells,
    Signals,
    Plans,
    Barrier,
    LooksAgain,
    FallsAsleep,
    Sleeps,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) time: u8,
    /// Of `A` and `B`.
    pub(crate) deadlines: [u8; 2],
    // the thread
    pub(crate) at: usize,
    pub(crate) step: u8,
    pub(crate) flag: bool,
    pub(crate) signalled: bool,
    /// As the thread knows it, and as others see it.
    pub(crate) own: u8,
    pub(crate) visible: u8,
    pub(crate) buffered: bool,
    /// The deadline that it is about to tell the helper of.
    pub(crate) arming: u8,
    pub(crate) far: u8,
    // the requesters: their steps, and whether they have found the thread
    pub(crate) requesters: [(u8, bool); 2],
    // the helper
    pub(crate) helper: Helper,
    pub(crate) next: u8,
    /// The sequence number is not the one that it has seen.
    pub(crate) is_told: bool,
    pub(crate) now: u8,
    pub(crate) earliest: u8,
    pub(crate) found: u8,
}

pub(crate) const START: State = State {
    time: 0,
    deadlines: [NEVER; 2],
    at: 0,
    step: 0,
    flag: false,
    signalled: false,
    own: 0,
    visible: 0,
    buffered: false,
    arming: NEVER,
    far: NEVER,
    requesters: [(0, false); 2],
    helper: Helper::Begins,
    next: NEVER,
    is_told: false,
    now: 0,
    earliest: NEVER,
    found: NEVER,
};

/// What is visible before an operation.
pub(crate) fn visible_at(ops: &[Op], at: usize) -> u8 {
    let mut open = vec![0];
    for op in &ops[..at] {
        match op {
            Open(scope) => open.push(open[open.len() - 1] | scope),
            Shield => open.push(0),
            Close | Unshield => _ = open.pop(),
            Wait => {}
        }
    }
    open[open.len() - 1]
}

impl State {
    pub(crate) fn fence(&mut self) {
        (self.visible, self.buffered) = (self.own, false);
    }

    /// The deadlines of what the thread sees: whether one has passed, and the next.
    pub(crate) fn look(&self) -> (bool, u8) {
        (self.has_passed(self.own, self.time), self.next_of(self.own, self.time))
    }

    pub(crate) fn has_passed(&self, scopes: u8, now: u8) -> bool {
        self.deadlines_of(scopes).any(|deadline| deadline <= now)
    }

    pub(crate) fn next_of(&self, scopes: u8, now: u8) -> u8 {
        self.deadlines_of(scopes).filter(|deadline| *deadline > now).min().unwrap_or(NEVER)
    }

    fn deadlines_of(&self, scopes: u8) -> impl Iterator<Item = u8> {
        let all = [A, B].into_iter().zip(self.deadlines);
        all.filter(move |(scope, _)| scopes & scope != 0).map(|(_, deadline)| deadline)
    }

    /// `arm_far`: the word, and then whether the helper plans for it.
    pub(crate) fn arm_far(&mut self, deadline: u8) {
        if deadline != NEVER {
            self.fence();
            self.far = self.far.min(deadline);
            self.arming = deadline;
        }
    }

    pub(crate) fn wake_helper(&mut self, deadline: u8) {
        if deadline < self.next {
            self.next = deadline;
            self.is_told = true;
            if self.helper == Helper::Sleeps {
                self.helper = Helper::Begins;
            }
        }
    }
}
