//! `request` of `runtime/scopes/request.rs` and `end_its_call` of `runtime/record.rs`,
//! step by step; and the helper of deadlines, which does the same.

use super::config::{Config, Without};
use super::program::{A, DEADLINE, REUSED, ROOT};
use super::state::{Claim, Fault, LOOK, Pc, Pending, Raw, State, Word};

/// What a requester does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    #[default]
    CountsIn,
    SetsState,
    StateBarrier,
    Reads,
    SetsFlag,
    FlagBarrier,
    LooksAtClaim,
    LooksAtMarker,
    ReadsAgain,
    Matches,
    LooksAtTid,
    Claims,
    Signals,
    Finishes,
    Wakes,
    Done,
}

/// A requester: how far it is, and what it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Requester {
    pub(crate) step: Step,
    /// The scopes that it has read in the thread's record.
    seen: u8,
    inside: bool,
    /// The claim is as it found or made it.
    pub(crate) current: bool,
    tid: u8,
    /// It has set the flag of the thread.
    flagged: bool,
}

impl Requester {
    /// The one that stops this; done already if that is nothing.
    pub(crate) fn of(target: u8) -> Requester {
        let step = if target == 0 { Step::Done } else { Step::CountsIn };
        Requester { step, ..Requester::default() }
    }

    /// Whether what it has read stands under its scope: by the parents of the cells, which
    /// it reads now.
    fn fits(self, state: &State, target: u8) -> bool {
        let parents = if self.seen & REUSED != 0 && state.is_reused { A } else { 0 };
        (self.seen | parents) & target != 0
    }
}

/// The next step of a requester; none if it is done.
pub(crate) fn step(state: &State, config: &Config, which: usize) -> Option<(&'static str, State)> {
    let target = config.targets[which];
    let on_top = config.on_top && which == 0;
    let mut next = *state;
    let mut mine = next.requesters[which];
    if on_top && next.foreign.is_none() && mine.step != Step::Done {
        return None;
    }
    let visible = if on_top { state.own(Word::Visible) } else { state.visible };
    if !config.reads_in_pieces() {
        // In one step with what it does about it.
        mine.seen = visible;
    }
    let (label, then) = match mine.step {
        Step::Reads | Step::ReadsAgain => {
            let then = if mine.step == Step::Reads { Step::SetsFlag } else { Step::Matches };
            mine.seen = visible;
            ("reads what the thread runs under", then)
        }
        Step::LooksAtMarker => {
            let marker = if on_top { next.own(Word::Marker) } else { next.marker };
            looks_at_marker(&mut mine, config, marker)
        }
        Step::CountsIn | Step::SetsState | Step::StateBarrier | Step::SetsFlag => {
            flags(&mut next, &mut mine, config, target)?
        }
        Step::FlagBarrier => {
            if config.has_barrier() && !config.is_without(Without::FlagBarrier) {
                next.fence();
            }
            if config.is_without(Without::CountedFirst) {
                next.in_flight += 1;
            }
            ("makes all threads pass a barrier", Step::LooksAtClaim)
        }
        Step::Done => return None,
        _ => signals(&mut next, &mut mine, config, target),
    };
    mine.step = match then {
        Step::Reads if !config.reads_in_pieces() => Step::SetsFlag,
        Step::ReadsAgain if !config.reads_in_pieces() => Step::Matches,
        _ => then,
    };
    if matches!(mine.step, Step::LooksAtClaim | Step::Wakes | Step::Done) {
        // What it has seen plays no part any more: fewer states.
        (mine.inside, mine.current, mine.tid, mine.seen) = (false, false, 0, 0);
    }
    if !config.reads_in_pieces() {
        mine.seen = 0;
    }
    mine.flagged &= mine.step != Step::Done;
    next.requesters[which] = mine;
    Some((label, next))
}

type Taken = (&'static str, Step);

/// Up to the flag.
fn flags(next: &mut State, mine: &mut Requester, config: &Config, target: u8) -> Option<Taken> {
    // The record of a thread's own scope is known.
    let direct = target == ROOT;
    Some(match mine.step {
        Step::CountsIn => {
            if target == DEADLINE && !next.late {
                return None;
            }
            if !config.is_without(Without::CountedFirst) {
                next.in_flight += 1;
            }
            if config.is_without(Without::StateFirst) && mine.fits(next, target) {
                (next.flag, mine.flagged) = (LOOK, true);
            }
            ("counts itself in", Step::SetsState)
        }
        Step::SetsState => {
            next.stopped |= target & !DEADLINE;
            ("sets the state of the scope", Step::StateBarrier)
        }
        Step::StateBarrier => {
            if config.has_barrier() && !direct && !config.is_without(Without::StateBarrier) {
                next.fence();
            }
            ("makes all threads pass a barrier", Step::Reads)
        }
        _ => {
            let mut then = Step::FlagBarrier;
            if config.is_without(Without::StateFirst) {
                if !mine.flagged {
                    then = Step::Wakes;
                }
            } else if direct || mine.fits(next, target) {
                let bit = config.is_without(Without::StoreOfOne);
                next.flag = if bit { next.flag | LOOK } else { LOOK };
                mine.flagged = true;
            } else if !config.is_without(Without::Batch) {
                then = Step::Wakes;
            }
            ("sets the flag, if the thread runs under it", then)
        }
    })
}

fn looks_at_marker(mine: &mut Requester, config: &Config, marker: u8) -> Taken {
    let inside = config.is_inexact() || marker != 0;
    let last = config.is_without(Without::MatchAfterMarker);
    mine.inside = if last { mine.inside && inside } else { inside };
    let then = match mine.inside {
        true if last => Step::LooksAtTid,
        true => Step::ReadsAgain,
        false => Step::Wakes,
    };
    ("looks whether the thread is in a call", then)
}

/// From the claim on.
fn signals(next: &mut State, mine: &mut Requester, config: &Config, target: u8) -> Taken {
    match mine.step {
        Step::LooksAtClaim => {
            mine.current = true;
            let first = if config.is_without(Without::MatchAfterMarker) {
                Step::ReadsAgain
            } else {
                Step::LooksAtMarker
            };
            let then = if next.claim == Claim::Sending { Step::Wakes } else { first };
            ("looks at the claim", then)
        }
        Step::Matches => {
            let fits = config.is_without(Without::Match) || mine.fits(next, target);
            let then = match fits {
                true if config.is_without(Without::MatchAfterMarker) => Step::LooksAtMarker,
                true => Step::LooksAtTid,
                false => Step::Wakes,
            };
            mine.inside = fits;
            ("looks whether it is still under the scope", then)
        }
        Step::LooksAtTid => {
            mine.tid = next.tid;
            let then = if next.tid == 0 { Step::Wakes } else { Step::Claims };
            ("looks at the tid", then)
        }
        Step::Claims => {
            let late = config.is_without(Without::ClaimReadFirst);
            if !(mine.current || late && next.claim != Claim::Sending) {
                return ("finds another claim", Step::Wakes);
            }
            next.move_claim(Claim::Sending);
            // `move_claim` told all others that it has changed.
            mine.current = true;
            ("claims", Step::Signals)
        }
        Step::Signals => {
            if mine.tid != next.thread || next.pc == Pc::Ended {
                next.fault = Some(Fault::StrangerSignalled);
            }
            // Merged with one that is pending, which keeps its number.
            if next.pending.is_none() {
                next.pending = Some(Pending { latest: mine.current });
            }
            ("signals", Step::Finishes)
        }
        Step::Finishes => {
            // Unless the thread has taken it as delivered already.
            if mine.current {
                next.claim = Claim::Sent;
            }
            ("has sent it", Step::Wakes)
        }
        _ => {
            // A wait on the flag's futex, if there is one, is woken.
            let waits = next.sleeping && next.pc == Pc::Ppoll && config.waits_on_flag();
            if mine.flagged && waits {
                next.sleeping = false;
                (next.raw, next.pc) = (Raw::Ready, Pc::Unmark);
            }
            if !config.is_without(Without::CountedFirst) || mine.flagged {
                next.in_flight -= 1;
            }
            ("is done", Step::Done)
        }
    }
}
