//! The thread and its scopes: `evaluate` of `runtime/scopes/look.rs`, `lower` of
//! `runtime/scopes/in_flight.rs`, entering and leaving of `runtime/scopes/enter.rs`.

use super::config::{Config, Without};
use super::program::{Op, all_at, behind, open_at};
use super::state::{LOOK, LOOKED, Pc, Raw, State, Word};

/// `Record::evaluate`, as far as it looks.
pub(crate) fn evaluate(next: &mut State, config: &Config) -> &'static str {
    match next.pc {
        Pc::Evaluate => {
            next.fence();
            (next.flag, next.pc) = (LOOKED, Pc::LookAtScopes);
            "flag <- 3"
        }
        Pc::LookAtScopes => {
            next.verdict = outermost_stopped(next, config);
            let raises = next.verdict != 0 && !config.is_without(Without::Raised);
            next.pc = if raises { Pc::Raise } else { Pc::AnyInFlight };
            "looks at the scopes"
        }
        _ => {
            next.fence();
            next.flag = LOOK;
            next.pc = if next.of_call { Pc::Report } else { Pc::Next };
            "flag <- 1: it is stopped"
        }
    }
}

fn outermost_stopped(state: &State, config: &Config) -> u8 {
    if config.is_without(Without::Truth) {
        return open_at(config.program, state.op).find(|scope| *scope != 0).unwrap_or(1);
    }
    let late = if config.is_without(Without::OneClock) { state.late_behind } else { state.late };
    let seen = if config.is_without(Without::LookEndsAtShield) {
        all_at(config.program, state.op)
    } else {
        state.runs_under(config)
    };
    let stopped = state.all_stopped(late) & seen;
    open_at(config.program, state.op).find(|scope| scope & stopped != 0).unwrap_or(0)
}

/// `drop_hint`: the flag goes down, unless a requester is in flight.
pub(crate) fn lower(next: &mut State, config: &Config) -> Option<&'static str> {
    let quiet = next.in_flight == 0 || config.is_without(Without::InFlight);
    let behind = if next.of_call { Pc::Again } else { Pc::Next };
    match next.pc {
        Pc::AnyInFlight if config.is_inexact() => {
            if next.in_flight != 0 && !config.is_without(Without::WaitForAll) {
                return None;
            }
            next.settled_twice = true;
            let settles = !config.is_without(Without::SecondSettle);
            next.pc = if settles { Pc::Settle } else { Pc::AnyStill };
            Some("no requester is in flight any more")
        }
        Pc::AnyInFlight | Pc::AnyStill => {
            next.settled_twice = false;
            next.pc = if quiet { Pc::Lower } else { behind };
            Some("is a requester in flight?")
        }
        _ => {
            next.fence();
            let whatever =
                config.is_without(Without::Exchange) || config.is_without(Without::FlagBeforeLook);
            if next.flag == LOOKED || whatever {
                next.flag = 0;
            }
            next.pc = behind;
            Some("flag 3 -> 0")
        }
    }
}

/// Enters a scope, or leaves a shield: publishes, then looks.
pub(crate) fn enter(next: &mut State, config: &Config) -> &'static str {
    let shield_ends = config.program[next.op - 1] == Op::Unshield;
    let published = next.own(Word::Visible) == next.runs_under(config);
    let then = if published { Pc::Next } else { Pc::Publish };
    match next.pc {
        Pc::Look => {
            let late =
                if config.is_without(Without::OneClock) { next.late_behind } else { next.late };
            let stopped = next.all_stopped(late) & next.runs_under(config) != 0;
            let taken_out = if shield_ends { Without::ShieldEndLook } else { Without::EntryLook };
            next.pc =
                if stopped && !config.is_without(taken_out) { Pc::RaiseOnEntry } else { then };
            "looks at what it enters"
        }
        Pc::RaiseOnEntry => {
            next.fence();
            (next.flag, next.pc) = (LOOK, then);
            "flag <- 1: that is stopped"
        }
        _ => {
            publish(next, config);
            next.pc = Pc::Next;
            "publishes what it has entered"
        }
    }
}

fn publish(next: &mut State, config: &Config) {
    next.store(Word::Visible, next.runs_under(config));
    if config.has_own_fences() {
        next.fence();
    }
}

/// What the thread does next.
pub(crate) fn between(next: &mut State, config: &Config) -> &'static str {
    let program = config.program;
    // A stop leaves its scope: nothing else in it is done.
    while next.leaving != 0 && next.op + 1 < program.len() {
        match program[next.op] {
            Op::Marked | Op::Unmarked | Op::Checkpoint | Op::Reborn => next.op += 1,
            Op::Open(_) | Op::Shield => next.op = behind(program, next.op),
            Op::Close | Op::Unshield => break,
        }
    }
    let Some(op) = program.get(next.op) else {
        next.pc = Pc::Leave;
        return "the end";
    };
    (next.raw, next.effect) = (Raw::None, false);
    match op {
        Op::Marked => {
            next.pc = if config.backend.has_window() { Pc::Enter } else { Pc::Attempt };
            "a marked call"
        }
        Op::Checkpoint => {
            next.pc = Pc::Checkpoint;
            "a checkpoint"
        }
        Op::Unmarked => {
            next.pc = Pc::Unmarked;
            "an unmarked call"
        }
        Op::Reborn => {
            next.pc = Pc::Leave;
            "the thread ends, and another takes its record"
        }
        Op::Open(_) | Op::Unshield => {
            next.op += 1;
            if !config.is_without(Without::PublishedBeforeLook) {
                publish(next, config);
            }
            next.pc = Pc::Look;
            "enters a scope or leaves a shield"
        }
        Op::Shield => {
            next.op += 1;
            if !config.is_without(Without::ShieldHides) {
                publish(next, config);
            }
            "enters a shield"
        }
        Op::Close => {
            let closed = open_at(program, next.op).last();
            if closed == Some(next.leaving) {
                next.leaving = 0;
            }
            next.op += 1;
            next.store(Word::Visible, next.runs_under(config));
            "leaves a scope"
        }
    }
}
