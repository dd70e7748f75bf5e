//! What is taken out, and where its lack is found.

use super::config::{Backend, Without};

/// A protection; a backend and a program on which it is missed; and whether the
/// kernel has membarrier.
pub(crate) type Row = (Without, Backend, &'static str, bool);

pub(crate) const ROWS: [Row; 37] = [
    (Without::FlagTest, Backend::Rseq, "two calls", true),
    (Without::PcCheck, Backend::Handler, "two calls", true),
    (Without::Reraise, Backend::Handler, "two calls", true),
    (Without::ClaimReadFirst, Backend::Rseq, "two calls", true),
    (Without::MovedOn, Backend::Rseq, "two calls", true),
    (Without::WaitForTheSender, Backend::Rseq, "two calls", true),
    (Without::Drain, Backend::Rseq, "two calls", true),
    (Without::DrainBeforeForgetting, Backend::Rseq, "two calls", true),
    (Without::Postponed, Backend::Rseq, "two calls", true),
    (Without::Sequence, Backend::Rseq, "two calls", true),
    (Without::TidClearedAtTheEnd, Backend::Rseq, "two calls", false),
    (Without::SignalBlockedOutsidePpoll, Backend::Ppoll, "two calls", true),
    (Without::FlagAmongTheFutexes, Backend::PpollFutex, "two calls", true),
    (Without::ResultsBeforeStops, Backend::Rseq, "two calls", true),
    (Without::InFlight, Backend::Rseq, "checkpoint after a shield", true),
    (Without::CountedFirst, Backend::Rseq, "checkpoint after a shield", true),
    (Without::FlagBeforeLook, Backend::Rseq, "a scope", true),
    (Without::StateFirst, Backend::Rseq, "two calls", true),
    (Without::StateBarrier, Backend::Rseq, "nested", true),
    (Without::FlagBarrier, Backend::Rseq, "two calls", true),
    (Without::PublishedBeforeLook, Backend::Rseq, "nested", true),
    (Without::EntryLook, Backend::Rseq, "nested", true),
    (Without::ShieldEndLook, Backend::Rseq, "shield", true),
    (Without::ShieldHides, Backend::Rseq, "shield left", true),
    (Without::Match, Backend::Rseq, "a scope", true),
    (Without::MatchAfterMarker, Backend::Rseq, "checkpoint between scopes", true),
    (Without::Batch, Backend::Rseq, "checkpoint after a shield", true),
    (Without::Exchange, Backend::Rseq, "a scope", true),
    (Without::StoreOfOne, Backend::Rseq, "a scope", true),
    (Without::Truth, Backend::Rseq, "a scope", true),
    (Without::LookEndsAtShield, Backend::Rseq, "shield", true),
    (Without::Raised, Backend::Rseq, "two calls", true),
    (Without::OneClock, Backend::Rseq, "deadline, then scope", true),
    (Without::OwnFence, Backend::Ppoll, "nested", true),
    (Without::WaitForAll, Backend::Rseq, "cell reused", false),
    (Without::SecondSettle, Backend::Rseq, "checkpoint after a shield", false),
    (Without::MadeAgain, Backend::Rseq, "a scope", false),
];
