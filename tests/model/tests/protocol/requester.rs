//! `Record::request`, step by step.

use super::state::{Config, Fault, Pc, REQUESTED, SHIELDED, State, Without};

/// The next step of a requester; none if it is done.
pub(crate) fn step(state: &State, config: &Config, which: usize) -> Option<(&'static str, State)> {
    let mut next = state.clone();
    let mut mine = next.requesters[which];
    let announces = config.without != Without::AnnounceBeforeLooking;
    let label = match mine.step {
        0 => {
            next.in_flight += u8::from(announces);
            "announces"
        }
        1 => {
            next.flag |= REQUESTED;
            "sets the flag"
        }
        2 => {
            if config.membarrier && config.without != Without::Membarrier {
                next.fence();
            }
            "makes the thread pass a barrier"
        }
        at @ (3 | 4) => {
            let marker_now = (at == 3) == (config.without != Without::ShieldLookedAtLast);
            if marker_now {
                mine.inside = !config.membarrier || next.marker != 0;
                "looks at the marker"
            } else {
                mine.shielded = next.flag & SHIELDED != 0 && config.without != Without::ShieldLook;
                "looks for a shield"
            }
        }
        5 => {
            next.in_flight += u8::from(!announces);
            if mine.inside && !mine.shielded && next.tid {
                next.poked += 1;
            } else {
                mine.step = 6;
            }
            "looks at the tid, counts its signal"
        }
        6 => {
            if next.pc == Pc::Ended {
                next.fault = Some(Fault::StrangerSignalled);
            }
            next.pending = true;
            "signals"
        }
        7 => {
            // A wait on the flag's futex, if there is one, is woken.
            if next.sleeping && next.pc == Pc::Ppoll && config.waits_on_flag() {
                next.sleeping = false;
                next.raw = super::state::Raw::Ready;
                next.pc = Pc::Unmark;
            }
            next.in_flight -= 1;
            "is done"
        }
        _ => return None,
    };
    mine.step += 1;
    next.requesters[which] = mine;
    Some((label, next))
}
