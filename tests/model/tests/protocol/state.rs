//! What a state of the model is made of.

#![allow(clippy::struct_excessive_bools, reason = "words that are one bit wide")]

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Rseq,
    /// Kernels that do not abort a section whose system call a signal
    /// interrupted.
    RseqSince619,
    Handler,
    Ppoll,
    /// A futex wait on that backend: no signal mask, a second futex word.
    PpollFutex,
}

impl Backend {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Backend::Rseq => "rseq",
            Backend::RseqSince619 => "rseq since 6.19",
            Backend::Handler => "handler",
            Backend::Ppoll => "ppoll",
            Backend::PpollFutex => "ppoll, futex",
        }
    }

    pub(crate) fn has_window(self) -> bool {
        !matches!(self, Backend::Ppoll | Backend::PpollFutex)
    }

    pub(crate) fn has_rseq(self) -> bool {
        matches!(self, Backend::Rseq | Backend::RseqSince619)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Marked,
    /// Sleeps for a while, as a call that is never restarted.
    Unmarked,
    Shield,
    Unshield,
}

/// A protection that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    Nothing,
    FlagTest,
    PcCheck,
    Reraise,
    MarkerFirst,
    Membarrier,
    /// The requester reads the claim after the marker and not before.
    ClaimReadFirst,
    /// The thread leaves an idle claim as it is.
    MovedOn,
    WaitForTheSender,
    Drain,
    DrainBeforeForgetting,
    /// A signal counts as delivered although it is sent once more.
    Postponed,
    /// Any stop signal counts as the one that was sent last.
    Sequence,
    TidClearedAtTheEnd,
    ShieldLook,
    ShieldLookedAtLast,
    SignalBlockedOutsidePpoll,
    FlagAmongTheFutexes,
    /// Reports a stop whenever one is requested by the time the call returns.
    ResultsBeforeStops,
}

impl Without {
    /// Each; a backend on which it is missed; and whether that has membarrier.
    pub(crate) const EACH: [(Without, Backend, bool); 18] = [
        (Without::FlagTest, Backend::Rseq, true),
        (Without::PcCheck, Backend::Handler, true),
        (Without::Reraise, Backend::Handler, true),
        (Without::MarkerFirst, Backend::Rseq, true),
        (Without::Membarrier, Backend::Rseq, true),
        (Without::ClaimReadFirst, Backend::Rseq, true),
        (Without::MovedOn, Backend::Rseq, true),
        (Without::WaitForTheSender, Backend::Rseq, true),
        (Without::Drain, Backend::Rseq, true),
        (Without::DrainBeforeForgetting, Backend::Rseq, true),
        (Without::Postponed, Backend::Handler, true),
        (Without::Sequence, Backend::Rseq, true),
        (Without::TidClearedAtTheEnd, Backend::Rseq, false),
        (Without::ShieldLook, Backend::Rseq, true),
        (Without::ShieldLookedAtLast, Backend::Rseq, true),
        (Without::SignalBlockedOutsidePpoll, Backend::Ppoll, true),
        (Without::FlagAmongTheFutexes, Backend::PpollFutex, true),
        (Without::ResultsBeforeStops, Backend::Rseq, true),
    ];
}

#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) backend: Backend,
    pub(crate) program: &'static [Op],
    /// Whether the kernel restarts the marked call under `SA_RESTART`.
    pub(crate) restartable: bool,
    /// Whether the foreign handler has `SA_RESTART`.
    pub(crate) foreign_restarts: bool,
    pub(crate) membarrier: bool,
    /// Whether it counts as a fault that an unmarked wait is interrupted.
    pub(crate) must_be_quiet: bool,
    pub(crate) without: Without,
}

/// Where the thread is: the instructions of the window by their labels, then
/// what surrounds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Pc {
    /// Between two operations.
    Next,
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

/// A requester: how far it is, and what it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Requester {
    pub(crate) step: u8,
    pub(crate) shielded: bool,
    pub(crate) inside: bool,
    /// The claim is as it found or made it.
    pub(crate) current: bool,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// A stop was reported of a call that took effect.
    EffectAndStopped,
    /// The stop signal came to an unmarked wait, or to one under a shield.
    Disturbed,
    /// The stop signal went to a thread id that another thread has by now.
    StrangerSignalled,
    /// Requested, and nothing is left that would end its sleep.
    SleepsForEver,
    /// The stop signal was taken for a foreign one, and handed on.
    HandedOn,
    /// Cannot come to an end any more by itself.
    Trapped,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    // the record
    pub(crate) flag: u8,
    pub(crate) marker: u8,
    pub(crate) claim: Claim,
    /// The signal of the last claim has come.
    pub(crate) delivered: bool,
    pub(crate) tid: bool,
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
    /// Stores of the marker that no other core sees yet, oldest first.
    pub(crate) buffered: [Option<u8>; 2],
    pub(crate) foreign: Option<Foreign>,
    // the kernel
    pub(crate) blocked: bool,
    pub(crate) pending: Option<Pending>,
    // the world
    pub(crate) requesters: [Requester; 2],
    /// What there is for a marked call to take, and what is yet to come.
    pub(crate) data: u8,
    pub(crate) data_to_come: u8,
    pub(crate) foreign_to_come: bool,
    pub(crate) fault: Option<Fault>,
}

pub(crate) const REQUESTED: u8 = 1;
pub(crate) const SHIELDED: u8 = 2;

impl State {
    pub(crate) fn start(config: &Config) -> State {
        let requester = Requester { step: 0, shielded: false, inside: false, current: false };
        State {
            flag: 0,
            marker: 0,
            claim: Claim::Idle,
            delivered: false,
            tid: true,
            pc: Pc::Next,
            op: 0,
            zero: false,
            raw: Raw::None,
            current: false,
            expected: 0,
            effect: false,
            sleeping: false,
            rseq_cs: false,
            buffered: [None; 2],
            foreign: None,
            blocked: config.ppoll_blocks(),
            pending: None,
            requesters: [requester; 2],
            data: 0,
            data_to_come: 1,
            foreign_to_come: true,
            fault: None,
        }
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

    /// A plain store of the marker, into the store buffer.
    pub(crate) fn store_marker(&mut self, value: u8) {
        match self.buffered {
            [None, _] => self.buffered[0] = Some(value),
            [_, None] => self.buffered[1] = Some(value),
            // Full: the oldest has to go first.
            _ => {
                self.write_back();
                self.buffered[1] = Some(value);
            }
        }
    }

    /// The oldest buffered store becomes visible.
    pub(crate) fn write_back(&mut self) {
        if let Some(value) = self.buffered[0] {
            self.marker = value;
            self.buffered = [self.buffered[1], None];
        }
    }

    /// A fence, or what has one in it.
    pub(crate) fn fence(&mut self) {
        self.write_back();
        self.write_back();
    }

    /// The marker as the thread itself sees it.
    pub(crate) fn own_marker(&self) -> u8 {
        self.buffered[1].or(self.buffered[0]).unwrap_or(self.marker)
    }
}

impl Config {
    pub(crate) fn ppoll_blocks(&self) -> bool {
        !self.backend.has_window() && self.without != Without::SignalBlockedOutsidePpoll
    }
}
