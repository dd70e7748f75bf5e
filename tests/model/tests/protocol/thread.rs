//! The thread: the window of `window/mod.rs`, `settle` of `runtime/record.rs`, `inside`
//! of `ppoll.rs`, and its end.

use super::kernel;
use super::state::{
    Backend, Claim, Config, Fault, Op, Pc, REQUESTED, Raw, SHIELDED, State, Without,
};

impl Config {
    pub(crate) fn waits_on_flag(&self) -> bool {
        self.backend == Backend::PpollFutex && self.without != Without::FlagAmongTheFutexes
    }
}

/// The next instruction of the thread; none if it sleeps, waits or has ended.
#[allow(clippy::too_many_lines, reason = "one arm for each instruction")]
pub(crate) fn step(state: &State, config: &Config) -> Option<(&'static str, State)> {
    if state.sleeping {
        return None;
    }
    let mut next = state.clone();
    if let Some(foreign) = next.foreign.take() {
        // Its return restores the context it interrupted.
        (next.pc, next.zero, next.blocked) = (foreign.pc, foreign.zero, foreign.blocked);
        return Some(("the foreign handler returns", next));
    }
    let must_stop = next.flag == REQUESTED;
    let label = match next.pc {
        Pc::Next => between(&mut next, config),
        Pc::Enter => {
            if config.without != Without::MarkerFirst {
                next.store_marker(1);
            }
            next.pc = Pc::Retry;
            "enter: marker <- 1"
        }
        Pc::Retry => {
            next.rseq_cs = config.backend.has_rseq();
            next.pc = Pc::Start;
            "retry: rseq_cs <- &descriptor"
        }
        Pc::Start => {
            next.zero = must_stop && config.without != Without::FlagTest;
            next.pc = Pc::Je;
            "start: flag == 1?"
        }
        Pc::Je => {
            next.pc = if next.zero { Pc::Stopped } else { Pc::Syscall };
            if config.without == Without::MarkerFirst {
                next.store_marker(1);
            }
            "goto stopped, if so"
        }
        Pc::Syscall => {
            kernel::enter(&mut next);
            "system call"
        }
        Pc::Stopped => {
            next.raw = Raw::Stop;
            next.pc = Pc::End;
            "stopped: result <- STOPPED"
        }
        Pc::Abort => {
            next.pc = Pc::Retry;
            "abort: goto retry"
        }
        Pc::End => {
            next.rseq_cs = false;
            next.pc = Pc::ClearMarker;
            "end: rseq_cs <- 0"
        }
        Pc::ClearMarker => {
            next.store_marker(0);
            next.pc = Pc::LookAtFlag;
            "marker <- 0"
        }
        Pc::LookAtFlag => {
            next.pc = if next.flag & REQUESTED != 0 { Pc::Settle } else { Pc::Report };
            "requested since?"
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
        Pc::Settled => {
            let ends = next.op == config.program.len();
            let left = config.without == Without::TidClearedAtTheEnd && ends;
            next.pc = if !next.tid || left { Pc::Ended } else { Pc::Report };
            "settle: no signal is left"
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
            next.pc = Pc::Mark;
            next.expected = next.flag;
            if next.data > 0 {
                kernel::take(&mut next);
                next.pc = Pc::Report;
            }
            "the call, made not to wait"
        }
        Pc::Mark => {
            next.store_marker(1);
            next.fence();
            next.pc = Pc::LookBeforePpoll;
            "marker <- 1, fence"
        }
        Pc::LookBeforePpoll => {
            next.pc = Pc::Ppoll;
            if must_stop && config.without != Without::FlagTest {
                (next.raw, next.pc) = (Raw::Stop, Pc::Unmark);
            }
            "flag == 1?"
        }
        Pc::Ppoll => {
            kernel::enter_ppoll(&mut next, config);
            "ppoll, the signal open"
        }
        Pc::Unmark => {
            next.store_marker(0);
            next.fence();
            next.pc = Pc::LookAtFlag;
            "marker <- 0, fence"
        }
        Pc::Leave => {
            if config.without != Without::TidClearedAtTheEnd {
                next.tid = false;
            }
            next.fence();
            next.pc = Pc::Settle;
            "the thread ends: tid <- 0"
        }
        Pc::Ended => return None,
    };
    Some((label, next))
}

/// One compare-and-swap; none while it waits for the sender.
fn settle(next: &mut State, config: &Config) -> Option<&'static str> {
    next.fence();
    next.pc = Pc::Settled;
    match next.claim {
        Claim::Sending if !next.delivered => {
            if config.without != Without::WaitForTheSender {
                return None;
            }
            next.move_claim(Claim::Idle);
        }
        Claim::Sent if !next.delivered && config.without != Without::Drain => {
            next.current = true;
            next.pc = Pc::Drain;
            if config.without == Without::DrainBeforeForgetting {
                next.claim = Claim::Idle;
            }
            return Some("settle: a signal has been sent");
        }
        Claim::Idle if config.without == Without::MovedOn => {}
        _ => next.move_claim(Claim::Idle),
    }
    Some("settle: the claim moves on")
}

fn between(next: &mut State, config: &Config) -> &'static str {
    let Some(op) = config.program.get(next.op) else {
        next.pc = Pc::Leave;
        return "the end";
    };
    (next.raw, next.effect) = (Raw::None, false);
    match op {
        Op::Marked => {
            next.pc = if config.backend.has_window() { Pc::Enter } else { Pc::Attempt };
            // `ppoll::call` looks before its first attempt.
            if next.pc == Pc::Attempt && next.flag == REQUESTED {
                (next.raw, next.pc) = (Raw::Stop, Pc::Report);
            }
            return "a marked call";
        }
        Op::Unmarked => {
            next.pc = Pc::Unmarked;
            return "an unmarked call";
        }
        Op::Shield => next.flag |= SHIELDED,
        Op::Unshield => next.flag &= !SHIELDED,
    }
    next.fence();
    next.op += 1;
    "a shield"
}

/// What the call comes to, and where the program goes on.
fn report(next: &mut State, config: &Config) {
    let must_stop = next.flag == REQUESTED;
    let stopped = match next.raw {
        Raw::Stop => true,
        Raw::Eintr => must_stop,
        Raw::Done => must_stop && config.without == Without::ResultsBeforeStops,
        Raw::None | Raw::Ready => false,
    };
    if stopped {
        if next.effect {
            next.fault = Some(Fault::EffectAndStopped);
        }
        // The clean-up, which is the last operation.
        next.op = config.program.len() - 1;
        next.pc = Pc::Next;
    } else if next.raw == Raw::Done {
        next.op += 1;
        next.pc = Pc::Next;
    } else if config.backend.has_window() {
        // Made again, as std does after EINTR.
        (next.raw, next.pc) = (Raw::None, Pc::Next);
    } else {
        (next.raw, next.pc) = (Raw::None, Pc::Attempt);
    }
}
