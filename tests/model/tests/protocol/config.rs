//! What is explored: a backend, a program, what is requested, and what is taken out.

#![allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]

use super::program::{Op, REUSED};

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
    pub(crate) const ALL: [Backend; 5] = [
        Backend::Rseq,
        Backend::RseqSince619,
        Backend::Handler,
        Backend::Ppoll,
        Backend::PpollFutex,
    ];

    pub(crate) fn has_window(self) -> bool {
        !matches!(self, Backend::Ppoll | Backend::PpollFutex)
    }

    pub(crate) fn has_rseq(self) -> bool {
        matches!(self, Backend::Rseq | Backend::RseqSince619)
    }
}

/// A protection that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    Nothing,
    // ---- of a thread and one that signals it
    FlagTest,
    PcCheck,
    Reraise,
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
    SignalBlockedOutsidePpoll,
    FlagAmongTheFutexes,
    /// Reports a stop whenever something is stopped by the time the call returns.
    ResultsBeforeStops,
    // ---- of the scopes
    /// The flag goes down although requesters are in flight.
    InFlight,
    /// They count themselves only after their flags.
    CountedFirst,
    /// The thread looks, and lowers its flag to 3 only afterwards.
    FlagBeforeLook,
    /// The requester sets the flag before the state of the scope.
    StateFirst,
    /// Between the state and the look at what threads run under.
    StateBarrier,
    /// Between the flag and the marker.
    FlagBarrier,
    /// A thread that enters a scope looks at it before it publishes it.
    PublishedBeforeLook,
    EntryLook,
    ShieldEndLook,
    /// A shield does not hide from requesters what is outside of it.
    ShieldHides,
    /// The requester does not look again whether the thread runs under the scope.
    Match,
    /// It does, before it looks at the marker.
    MatchAfterMarker,
    /// It signals whomever it finds under the scope, flagged by it or not.
    Batch,
    /// The flag goes from 3 to 0 whatever it is by now.
    Exchange,
    /// The requester sets a bit of the flag.
    StoreOfOne,
    /// What is in the flag is taken for the truth.
    Truth,
    /// The look goes on behind a shield.
    LookEndsAtShield,
    /// The flag is not set again where something is stopped.
    Raised,
    /// The thread's clock is behind the helper's.
    OneClock,
    /// Where threads order their own accesses, they do not.
    OwnFence,
    /// Without membarrier the thread does not wait for requesters in flight.
    WaitForAll,
    /// Nor does it take what they have sent.
    SecondSettle,
    /// Nor make the call again that they have interrupted.
    MadeAgain,
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) backend: Backend,
    pub(crate) name: &'static str,
    pub(crate) program: &'static [Op],
    /// What the two requesters and the helper of deadlines stop; 0: it does nothing.
    pub(crate) targets: [u8; 3],
    /// The first requester is a signal handler on top of the thread.
    pub(crate) on_top: bool,
    /// A foreign signal may come.
    pub(crate) foreign: bool,
    /// Whether the kernel restarts the marked call under `SA_RESTART`.
    pub(crate) restartable: bool,
    /// Whether the foreign handler has `SA_RESTART`.
    pub(crate) foreign_restarts: bool,
    /// How much comes for a marked call to take.
    pub(crate) data: u8,
    pub(crate) membarrier: bool,
    pub(crate) without: Without,
}

impl Config {
    /// Whether requesters read the scopes of the thread piece by piece.
    pub(crate) fn reads_in_pieces(&self) -> bool {
        self.program.contains(&Op::Open(REUSED))
    }

    pub(crate) fn is_without(&self, what: Without) -> bool {
        self.without == what
    }

    pub(crate) fn ppoll_blocks(&self) -> bool {
        !self.backend.has_window() && !self.is_without(Without::SignalBlockedOutsidePpoll)
    }

    pub(crate) fn waits_on_flag(&self) -> bool {
        self.backend == Backend::PpollFutex && !self.is_without(Without::FlagAmongTheFutexes)
    }

    /// Requesters cannot tell who is in a call.
    pub(crate) fn is_inexact(&self) -> bool {
        !self.membarrier && self.backend.has_window()
    }

    /// A requester's barrier is one for the thread.
    pub(crate) fn has_barrier(&self) -> bool {
        self.membarrier && self.backend.has_window()
    }

    /// Threads order their own accesses.
    pub(crate) fn has_own_fences(&self) -> bool {
        !self.has_barrier() && !self.is_without(Without::OwnFence)
    }
}
