//! The kernel's side of the thread: system calls, signals, restartable
//! sequences; and the two handlers.

use super::config::{Backend, Config, Without};
use super::state::{Claim, Fault, Foreign, Pc, Pending, Raw, State, Word};

/// A marked call takes what is there.
pub(crate) fn take(next: &mut State) {
    next.data -= 1;
    next.effect = true;
    next.raw = Raw::Done;
}

/// The marked call begins.
pub(crate) fn enter(next: &mut State) {
    if next.data > 0 {
        take(next);
        next.pc = Pc::End;
    } else {
        next.sleeping = true;
    }
}

/// `ppoll` (or `futex_waitv`) begins.
pub(crate) fn enter_ppoll(next: &mut State, config: &Config) {
    let flag_changed = config.waits_on_flag() && next.flag != next.expected;
    if next.data > 0 || flag_changed {
        (next.raw, next.pc) = (Raw::Ready, Pc::Unmark);
    } else {
        next.sleeping = true;
        // Its mask counts from here on, in one step with the sleep.
        if config.backend == Backend::Ppoll {
            next.blocked = false;
        }
    }
}

/// What a sleep ends by, besides a signal.
pub(crate) fn wake(state: &State, config: &Config) -> Option<(&'static str, State)> {
    if !state.sleeping {
        return None;
    }
    let mut next = *state;
    next.sleeping = false;
    match next.pc {
        Pc::Unmarked => {
            next.op += 1;
            next.pc = Pc::Next;
            Some(("its time is over", next))
        }
        Pc::Syscall if next.data > 0 => {
            take(&mut next);
            next.pc = Pc::End;
            Some(("the call takes effect", next))
        }
        Pc::Ppoll if next.data > 0 => {
            next.blocked = config.ppoll_blocks();
            (next.raw, next.pc) = (Raw::Ready, Pc::Unmark);
            Some(("ready", next))
        }
        _ => None,
    }
}

/// The thread leaves the kernel towards a handler: a sleep ends, and a section
/// is aborted.
fn interrupt(next: &mut State, config: &Config, restarts: bool) {
    let from_call = next.sleeping;
    if next.sleeping {
        next.sleeping = false;
        match next.pc {
            Pc::Syscall if config.restartable && restarts => {}
            Pc::Syscall => (next.raw, next.pc) = (Raw::Eintr, Pc::End),
            Pc::Ppoll => (next.raw, next.pc) = (Raw::Eintr, Pc::Unmark),
            _ => {
                // The unmarked wait fails with EINTR, or is made again.
                next.op += 1;
                next.pc = Pc::Next;
            }
        }
    }
    if !(from_call && config.backend == Backend::RseqSince619) {
        abort(next);
    }
}

/// The kernel's look at `rseq_cs`: also at every preemption.
pub(crate) fn abort(next: &mut State) {
    if next.rseq_cs && !next.sleeping && next.foreign.is_none() && in_window(next.pc) {
        next.pc = Pc::Abort;
    }
}

fn in_window(pc: Pc) -> bool {
    (Pc::Start..Pc::End).contains(&pc)
}

/// The stop signal is delivered, if it can be.
pub(crate) fn deliver(state: &State, config: &Config) -> Option<(&'static str, State)> {
    let pending = state.pending?;
    if state.blocked || state.pc == Pc::Ended {
        return None;
    }
    let mut next = *state;
    next.pending = None;
    // Without a barrier of all threads, requesters signal whomever they find.
    if next.sleeping && !config.is_inexact() {
        if next.pc == Pc::Unmarked {
            next.fault = Some(Fault::Disturbed);
        } else if !next.is_stopped(config) {
            next.fault = Some(Fault::WrongCall);
        }
    }
    let in_ppoll = next.sleeping && next.pc == Pc::Ppoll;
    interrupt(&mut next, config, true);
    handler(&mut next, config, pending);
    if in_ppoll {
        next.blocked = config.ppoll_blocks();
    }
    Some(("the stop signal", next))
}

/// Our whole handler.
fn handler(next: &mut State, config: &Config, signal: Pending) {
    if next.claim == Claim::Idle {
        // No requester is known to have sent it.
        next.fault = next.fault.or(Some(Fault::HandedOn));
        return;
    }
    if signal.latest || config.is_without(Without::Sequence) {
        next.delivered = true;
    }
    if !config.backend.has_window() {
        return;
    }
    if next.foreign.is_none() && in_window(next.pc) {
        if !config.is_without(Without::PcCheck) {
            next.pc = Pc::Abort;
        }
    } else if next.foreign.is_none() && matches!(next.pc, Pc::End | Pc::Abort) {
        // On an edge: the flag is tested on the way.
    } else if next.own(Word::Marker) != 0 && !config.is_without(Without::Reraise) {
        // Blocked until the interrupted handler, if it is one, has returned.
        next.blocked = true;
        // It does not carry the number any more.
        next.pending = Some(Pending { latest: false });
        if !config.is_without(Without::Postponed) {
            next.delivered = false;
        }
    }
}

/// A foreign signal is delivered: its handler runs until it returns.
pub(crate) fn deliver_foreign(state: &State, config: &Config) -> Option<(&'static str, State)> {
    if !state.foreign_to_come || state.foreign.is_some() || state.pc == Pc::Ended {
        return None;
    }
    let mut next = *state;
    next.foreign_to_come = false;
    let in_ppoll = next.sleeping && next.pc == Pc::Ppoll;
    next.foreign_hit |= next.sleeping && next.pc != Pc::Unmarked;
    interrupt(&mut next, config, config.foreign_restarts);
    if in_ppoll {
        next.blocked = config.ppoll_blocks();
    }
    let (pc, zero, blocked) = (next.pc, next.zero, next.blocked);
    next.foreign = Some(Foreign { pc, zero, blocked });
    Some(("a foreign signal", next))
}

/// `signal::drain`: what is pending is taken now.
pub(crate) fn drain(next: &mut State, config: &Config) {
    if let Some(signal) = next.pending.take() {
        next.blocked = false;
        handler(next, config, signal);
    }
    next.blocked = config.ppoll_blocks();
}
