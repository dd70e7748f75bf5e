//! The thread: the window of `window/mod.rs`, `settle` of `runtime/claim.rs`, checkpoints,
//! `inside` of `ppoll/inside.rs`, and its end.

use super::config::{Config, Without};
use super::kernel;
use super::program::Op;
use super::requester::Step;
use super::scopes::{between, enter, evaluate, lower};
use super::state::{Claim, Fault, LOOK, Pc, Raw, State, Word};

/// The next instruction of the thread; none if it sleeps, waits or has ended.
#[allow(clippy::too_many_lines, reason = "one arm for each instruction")]
pub(crate) fn step(state: &State, config: &Config) -> Option<(&'static str, State)> {
    if state.sleeping {
        return None;
    }
    let mut next = *state;
    if let Some(foreign) = next.foreign {
        if config.on_top && next.requesters[0].step != Step::Done {
            return None;
        }
        // Its return restores the context it interrupted.
        next.foreign = None;
        (next.pc, next.zero, next.blocked) = (foreign.pc, foreign.zero, foreign.blocked);
        return Some(("the foreign handler returns", next));
    }
    let must_look = next.flag == LOOK;
    let label = match next.pc {
        Pc::Next => between(&mut next, config),
        Pc::Look | Pc::Publish | Pc::RaiseOnEntry => enter(&mut next, config),
        Pc::Enter => {
            next.store(Word::Marker, 1);
            next.pc = Pc::Retry;
            "enter: marker <- 1"
        }
        Pc::Retry => {
            next.rseq_cs = config.backend.has_rseq();
            next.pc = Pc::Start;
            "retry: rseq_cs <- &descriptor"
        }
        Pc::Start => {
            next.zero = must_look && !config.is_without(Without::FlagTest);
            next.pc = Pc::Je;
            "start: flag == 1?"
        }
        Pc::Je => {
            next.pc = if next.zero { Pc::Stopped } else { Pc::Syscall };
            "goto stopped, if so"
        }
        Pc::Syscall => {
            kernel::enter(&mut next);
            "system call"
        }
        Pc::Stopped => {
            (next.raw, next.pc) = (Raw::Stop, Pc::End);
            "stopped: result <- STOPPED"
        }
        Pc::Abort => {
            next.pc = Pc::Retry;
            "abort: goto retry"
        }
        Pc::End => {
            (next.rseq_cs, next.pc) = (false, Pc::ClearMarker);
            "end: rseq_cs <- 0"
        }
        Pc::ClearMarker => {
            next.store(Word::Marker, 0);
            next.pc = Pc::LookAtFlag;
            "marker <- 0"
        }
        Pc::LookAtFlag => {
            (next.of_call, next.met_a_signal) = (true, false);
            next.pc = match (next.flag & LOOK != 0, next.raw) {
                (true, _) => Pc::Settle,
                (false, Raw::Stop) => Pc::Again,
                (false, _) => Pc::Report,
            };
            "is there something to look at?"
        }
        Pc::Settle => settle(&mut next, config)?,
        Pc::Drain => {
            kernel::drain(&mut next, config);
            next.pc = Pc::Forget;
            "settle: takes the signal"
        }
        Pc::Forget => {
            next.pc = Pc::Settle;
            // Unless a requester has signalled once more.
            if core::mem::take(&mut next.current) {
                next.move_claim(Claim::Idle);
                next.pc = Pc::Settled;
            }
            "settle: forgets it"
        }
        Pc::Settled => settled(&mut next, config),
        Pc::Evaluate | Pc::LookAtScopes | Pc::Raise => evaluate(&mut next, config),
        Pc::AnyInFlight | Pc::AnyStill | Pc::Lower => lower(&mut next, config)?,
        Pc::Checkpoint => {
            next.pc = Pc::Next;
            if must_look {
                (next.pc, next.of_call, next.raw) = (Pc::Evaluate, true, Raw::Stop);
                if config.is_without(Without::FlagBeforeLook) {
                    next.pc = Pc::LookAtScopes;
                }
            } else {
                next.op += 1;
            }
            "checkpoint: flag == 1?"
        }
        Pc::Again if config.program[next.op] == Op::Checkpoint && next.verdict == 0 => {
            (next.pc, next.op) = (Pc::Next, next.op + 1);
            "checkpoint: nothing that it sees is stopped"
        }
        Pc::Again => {
            let again = next.raw == Raw::Stop
                || next.raw == Raw::Eintr
                    && next.met_a_signal
                    && !config.is_without(Without::MadeAgain);
            next.pc = Pc::Report;
            if next.verdict == 0 && again {
                next.raw = Raw::None;
                next.pc = if config.backend.has_window() { Pc::Enter } else { Pc::Attempt };
            }
            "nothing that it sees is stopped"
        }
        Pc::Report => {
            report(&mut next, config);
            "the result"
        }
        Pc::Unmarked => {
            next.sleeping = true;
            "an unmarked wait"
        }
        Pc::Attempt => {
            (next.pc, next.expected) = (Pc::Mark, next.flag);
            if next.data > 0 {
                kernel::take(&mut next);
                (next.pc, next.verdict) = (Pc::Report, 0);
            }
            "the call, made not to wait"
        }
        Pc::Mark => {
            next.store(Word::Marker, 1);
            next.fence();
            next.pc = Pc::LookBeforePpoll;
            "marker <- 1, fence"
        }
        Pc::LookBeforePpoll => {
            next.pc = Pc::Ppoll;
            if must_look && !config.is_without(Without::FlagTest) {
                (next.raw, next.pc) = (Raw::Stop, Pc::Unmark);
            }
            "flag == 1?"
        }
        Pc::Ppoll => {
            kernel::enter_ppoll(&mut next, config);
            "ppoll, the signal open"
        }
        Pc::Unmark => {
            next.store(Word::Marker, 0);
            next.fence();
            next.pc = Pc::LookAtFlag;
            "marker <- 0, fence"
        }
        Pc::Leave => {
            if !config.is_without(Without::TidClearedAtTheEnd) {
                next.tid = 0;
            }
            next.fence();
            (next.pc, next.of_call) = (Pc::Settle, false);
            "the thread ends: tid <- 0"
        }
        Pc::Ended => return None,
    };
    if matches!(next.pc, Pc::Next | Pc::Ended) {
        // Plays no part any more: fewer states.
        (next.verdict, next.expected, next.raw) = (0, 0, Raw::None);
        (next.met_a_signal, next.zero, next.of_call) = (false, false, false);
        if state.pc != Pc::Report {
            next.foreign_hit = false;
        }
    }
    Some((label, next))
}

/// One compare-and-swap; none while it waits for the sender.
fn settle(next: &mut State, config: &Config) -> Option<&'static str> {
    next.fence();
    next.pc = Pc::Settled;
    next.met_a_signal |= next.claim != Claim::Idle;
    match next.claim {
        Claim::Sending if !next.delivered => {
            if !config.is_without(Without::WaitForTheSender) {
                return None;
            }
            next.move_claim(Claim::Idle);
        }
        Claim::Sent if !next.delivered && !config.is_without(Without::Drain) => {
            (next.current, next.pc) = (true, Pc::Drain);
            if config.is_without(Without::DrainBeforeForgetting) {
                next.claim = Claim::Idle;
            }
            return Some("settle: a signal has been sent");
        }
        Claim::Idle if config.is_without(Without::MovedOn) => {}
        _ => next.move_claim(Claim::Idle),
    }
    Some("settle: the claim moves on")
}

fn settled(next: &mut State, config: &Config) -> &'static str {
    let ends = next.tid == 0 || config.is_without(Without::TidClearedAtTheEnd) && !next.of_call;
    if !ends {
        next.pc = if next.settled_twice { Pc::AnyStill } else { Pc::Evaluate };
        if config.is_without(Without::FlagBeforeLook) && !next.settled_twice {
            next.pc = Pc::LookAtScopes;
        }
    } else if next.op == config.program.len() {
        next.pc = Pc::Ended;
    } else {
        // Another thread takes the record.
        next.thread += 1;
        next.tid = next.thread;
        next.fence();
        (next.op, next.pc) = (next.op + 1, Pc::Next);
    }
    "settle: no signal is left"
}

/// What the call comes to, and where the program goes on.
fn report(next: &mut State, config: &Config) {
    let without_effect = matches!(next.raw, Raw::Stop | Raw::Eintr)
        || next.raw == Raw::Done && config.is_without(Without::ResultsBeforeStops);
    next.pc = Pc::Next;
    if next.verdict != 0 && without_effect {
        if next.effect {
            next.fault = Some(Fault::EffectAndStopped);
        }
        if !next.is_stopped(config) {
            next.fault = Some(Fault::StoppedForNothing);
        }
        (next.leaving, next.op) = (next.verdict, next.op + 1);
    } else if next.raw == Raw::Done {
        next.op += 1;
    } else {
        if next.raw == Raw::Eintr && !next.foreign_hit {
            next.fault = Some(Fault::EintrLeaked);
        }
        // Made again, as std does after EINTR.
        next.raw = Raw::None;
        next.pc = if config.backend.has_window() { Pc::Next } else { Pc::Attempt };
    }
    next.foreign_hit = false;
}
