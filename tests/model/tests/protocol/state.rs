//! What a state of the model is made of.

#![allow(clippy::struct_excessive_bools, reason = "words that are one bit wide")]

use super::config::Config;
use super::program::{DEADLINE, ROOT, all_at, visible_at};
use super::requester::Requester;

/// Where the thread is: the instructions of the window by their labels, then
/// what surrounds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Pc {
    /// Between two operations.
    Next,
    // entering a scope, leaving a shield
    Look,
    Publish,
    RaiseOnEntry,
    Enter,
    Retry,
    // The window proper: these three are `start .. end`.
    Start,
    Je,
    Syscall,
    End,
    ClearMarker,
    Stopped,
    Abort,
    LookAtFlag,
    // settle
    Settle,
    Drain,
    Forget,
    Settled,
    Checkpoint,
    // evaluate
    Evaluate,
    LookAtScopes,
    AnyInFlight,
    AnyStill,
    Lower,
    Raise,
    Again,
    /// The call has its result.
    Report,
    Unmarked,
    // ppoll
    Attempt,
    Mark,
    LookBeforePpoll,
    Ppoll,
    Unmark,
    // the end of the thread
    Leave,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Raw {
    None,
    Done,
    Eintr,
    Stop,
    /// Of ppoll: look again.
    Ready,
}

/// A foreign handler that runs on top of the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Foreign {
    pub(crate) pc: Pc,
    pub(crate) zero: bool,
    pub(crate) blocked: bool,
}

/// The state of the claim; its number is what `current` and `latest` stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Claim {
    Idle,
    Sending,
    Sent,
}

/// A stop signal that is pending: whether it carries the number of the claim
/// that was made last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) latest: bool,
}

/// A word that the thread writes by plain stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Word {
    Marker,
    Visible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// A stop was reported of a call that took effect.
    EffectAndStopped,
    /// The stop signal came to an unmarked wait.
    Disturbed,
    /// It came to a marked call that nothing stops.
    WrongCall,
    /// The stop signal went to a thread id that another thread has by now.
    StrangerSignalled,
    /// Something is stopped, and nothing is left that would end the sleep under it.
    SleepsForEver,
    /// The stop signal was taken for a foreign one, and handed on.
    HandedOn,
    /// A stop was reported, and nothing that the call runs under is stopped.
    StoppedForNothing,
    /// `EINTR` of a signal of the runtime's own.
    EintrLeaked,
    /// Cannot come to an end any more by itself.
    Trapped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    // the record
    pub(crate) flag: u8,
    pub(crate) marker: u8,
    /// What the thread runs under, as others see it.
    pub(crate) visible: u8,
    pub(crate) claim: Claim,
    /// The signal of the last claim has come.
    pub(crate) delivered: bool,
    /// 0: none. The next thread that takes the record has another one.
    pub(crate) tid: u8,
    pub(crate) thread: u8,
    // the scopes
    pub(crate) stopped: u8,
    /// The deadline has passed; also by a clock that is behind.
    pub(crate) late: bool,
    pub(crate) late_behind: bool,
    pub(crate) in_flight: u8,
    /// Another thread has made a scope under `A` of a cell that this one has left.
    pub(crate) is_reused: bool,
    // the thread
    pub(crate) pc: Pc,
    pub(crate) op: usize,
    pub(crate) zero: bool,
    pub(crate) raw: Raw,
    /// The claim is as `settle` found it.
    pub(crate) current: bool,
    /// The flag that a futex wait on the ppoll backend expects.
    pub(crate) expected: u8,
    pub(crate) effect: bool,
    pub(crate) sleeping: bool,
    pub(crate) rseq_cs: bool,
    /// It is on the way out of a call, and not of a scope.
    pub(crate) of_call: bool,
    /// A signal of the runtime's own had been sent as it settled.
    pub(crate) met_a_signal: bool,
    pub(crate) settled_twice: bool,
    /// The scope that the look has found stopped, 0 if none.
    pub(crate) verdict: u8,
    /// The scope that a stop leaves, until it is left.
    pub(crate) leaving: u8,
    /// A foreign signal has interrupted the call.
    pub(crate) foreign_hit: bool,
    /// Plain stores that no other core sees yet, oldest first.
    pub(crate) buffered: [Option<(Word, u8)>; 3],
    pub(crate) foreign: Option<Foreign>,
    // the kernel
    pub(crate) blocked: bool,
    pub(crate) pending: Option<Pending>,
    // the world
    pub(crate) requesters: [Requester; 3],
    /// What there is for a marked call to take, and what is yet to come.
    pub(crate) data: u8,
    pub(crate) data_to_come: u8,
    pub(crate) foreign_to_come: bool,
    pub(crate) fault: Option<Fault>,
}

/// A thread's flag.
pub(crate) const LOOK: u8 = 1;
pub(crate) const LOOKED: u8 = 3;

impl State {
    pub(crate) fn start(config: &Config) -> State {
        State {
            flag: 0,
            marker: 0,
            visible: ROOT,
            claim: Claim::Idle,
            delivered: false,
            tid: 1,
            thread: 1,
            stopped: 0,
            late: false,
            late_behind: false,
            in_flight: 0,
            is_reused: false,
            pc: Pc::Next,
            op: 0,
            zero: false,
            raw: Raw::None,
            current: false,
            expected: 0,
            effect: false,
            sleeping: false,
            rseq_cs: false,
            of_call: false,
            met_a_signal: false,
            settled_twice: false,
            verdict: 0,
            leaving: 0,
            foreign_hit: false,
            buffered: [None; 3],
            foreign: None,
            blocked: config.ppoll_blocks(),
            pending: None,
            requesters: config.targets.map(Requester::of),
            data: 0,
            data_to_come: config.data,
            foreign_to_come: config.foreign || config.on_top,
            fault: None,
        }
    }

    /// What the thread runs under, in truth.
    pub(crate) fn runs_under(&self, config: &Config) -> u8 {
        visible_at(config.program, self.op)
    }

    /// Whether it has entered this scope and not left it, visible or not.
    pub(crate) fn has_open(&self, scope: u8, config: &Config) -> bool {
        all_at(config.program, self.op) & scope != 0
    }

    /// Everything that is stopped.
    pub(crate) fn all_stopped(&self, late: bool) -> u8 {
        self.stopped | if late { DEADLINE } else { 0 }
    }

    /// Whether the thread can see something that is stopped.
    pub(crate) fn is_stopped(&self, config: &Config) -> bool {
        self.runs_under(config) & self.all_stopped(self.late) != 0
    }

    /// The claim moves to another number, no matter which side does it.
    pub(crate) fn move_claim(&mut self, claim: Claim) {
        self.claim = claim;
        self.delivered = false;
        self.current = false;
        for requester in &mut self.requesters {
            requester.current = false;
        }
        if let Some(pending) = &mut self.pending {
            pending.latest = false;
        }
    }

    /// A plain store, into the store buffer.
    pub(crate) fn store(&mut self, word: Word, value: u8) {
        if self.buffered[2].is_some() {
            // Full: the oldest has to go first.
            self.write_back();
        }
        if let Some(place) = self.buffered.iter_mut().find(|place| place.is_none()) {
            *place = Some((word, value));
        }
    }

    /// The oldest buffered store becomes visible.
    pub(crate) fn write_back(&mut self) {
        match self.buffered[0] {
            Some((Word::Marker, value)) => self.marker = value,
            Some((Word::Visible, value)) => self.visible = value,
            None => return,
        }
        self.buffered = [self.buffered[1], self.buffered[2], None];
    }

    /// A fence, or what has one in it.
    pub(crate) fn fence(&mut self) {
        while self.buffered[0].is_some() {
            self.write_back();
        }
    }

    /// A word as the thread itself sees it, and what runs on top of it.
    pub(crate) fn own(&self, word: Word) -> u8 {
        let latest = self.buffered.iter().rev().flatten().find(|(which, _)| *which == word);
        latest.map_or_else(
            || match word {
                Word::Marker => self.marker,
                Word::Visible => self.visible,
            },
            |(_, value)| *value,
        )
    }
}
