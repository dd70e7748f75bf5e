//! `Record::request`, step by step.

use super::state::{Claim, Config, Fault, Pc, Pending, REQUESTED, SHIELDED, State, Without};

const LOOK: u8 = 2;
const WAKE: u8 = 9;

/// The next step of a requester; none if it is done.
pub(crate) fn step(state: &State, config: &Config, which: usize) -> Option<(&'static str, State)> {
    let mut next = state.clone();
    let mut mine = next.requesters[which];
    let mut then = mine.step + 1;
    let late = config.without == Without::ClaimReadFirst;
    let label = match mine.step {
        0 => {
            next.flag |= REQUESTED;
            "sets the flag"
        }
        1 => {
            if config.membarrier && config.without != Without::Membarrier {
                next.fence();
            }
            "makes the thread pass a barrier"
        }
        LOOK => {
            mine.current = true;
            if next.claim == Claim::Sending {
                then = WAKE;
            }
            "looks at the claim"
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
            if !mine.inside || mine.shielded || !next.tid {
                then = WAKE;
            }
            "looks at the tid"
        }
        6 => {
            if mine.current || late && next.claim != Claim::Sending {
                next.move_claim(Claim::Sending);
                // `move_claim` told all others that it has changed.
                mine.current = true;
            } else {
                then = LOOK;
            }
            "claims"
        }
        7 => {
            if next.pc == Pc::Ended {
                next.fault = Some(Fault::StrangerSignalled);
            }
            // Merged with one that is pending, which keeps its number.
            if next.pending.is_none() {
                next.pending = Some(Pending { latest: mine.current });
            }
            "signals"
        }
        8 => {
            // Unless the thread has taken it as delivered already.
            if mine.current {
                next.claim = Claim::Sent;
            }
            "has sent it"
        }
        WAKE => {
            // A wait on the flag's futex, if there is one, is woken.
            if next.sleeping && next.pc == Pc::Ppoll && config.waits_on_flag() {
                next.sleeping = false;
                next.raw = super::state::Raw::Ready;
                next.pc = Pc::Unmark;
            }
            "is done"
        }
        _ => return None,
    };
    mine.step = then;
    if mine.step == LOOK || mine.step >= WAKE {
        // What it has seen plays no part any more: fewer states.
        (mine.inside, mine.shielded, mine.current) = (false, false, false);
    }
    next.requesters[which] = mine;
    // They are alike: the one that is further comes first.
    next.requesters.sort_by_key(|requester| core::cmp::Reverse(requester.step));
    Some((label, next))
}
