//! Deadlines that others put on scopes, explored exhaustively: a thread in scopes and
//! shields, two requesters (`request_at` of `runtime/scopes/request.rs`), the helper
//! (`runtime/scopes/helper.rs`), the thread's store buffer, and time.
//!
//! A run that can go no further has told the thread of each deadline that it can see and
//! that has passed. Each step that is taken out leaves it untold in some run.

mod state;

use core::hash::BuildHasherDefault;
use state::Op::{Close, Open, Shield, Unshield, Wait};
use state::{
    ASLEEP, B, Helper, LAST, NEVER, Op, PROGRAMS, Program, START, State, Without, visible_at,
};
use std::collections::{HashSet, VecDeque};
use stop_model::Mix;

fn thread(state: &State, ops: &[Op], without: Without) -> Option<State> {
    let mut next = *state;
    if state.arming != NEVER {
        next.arming = NEVER;
        next.wake_helper(state.arming);
        return Some(next);
    }
    let op = *ops.get(state.at)?;
    match op {
        // It goes to sleep: its flag is looked at together with its marker.
        Wait if state.step == 0 && !state.flag => next.step = ASLEEP,
        Wait if state.step == ASLEEP && !state.signalled => return None,
        Wait if state.step != 1 => {
            // The look of one that is told: a flag that is set again after it counts.
            next.fence();
            (next.flag, next.step, next.signalled) = (false, 1, false);
        }
        Wait => {
            let (passed, later) = state.look();
            if without != Without::PutBack {
                next.arm_far(later);
            }
            if passed {
                // Stopped: what it waits in is left, and it looks again outside.
                (next.at, next.flag) = (state.at + 1, true);
            }
            next.step = 0;
        }
        Open(_) | Unshield if state.step == 1 => {
            (next.at, next.step) = (state.at + 1, 0);
            let (passed, later) = state.look();
            let looks = match op {
                Unshield => without != Without::PutBackAfterShield,
                _ => without != Without::EntryLook,
            };
            if looks {
                if op == Unshield {
                    next.fence();
                }
                next.flag |= passed;
                next.arm_far(later);
            }
        }
        Open(_) | Unshield | Shield | Close => {
            (next.own, next.buffered) = (visible_at(ops, state.at + 1), true);
            if matches!(op, Open(_) | Unshield) {
                next.step = 1;
            } else {
                next.at += 1;
            }
        }
    }
    Some(next)
}

fn requester(
    state: &State,
    which: usize,
    (scope, deadline): (u8, u8),
    without: Without,
) -> Option<State> {
    let mut next = *state;
    let (step, _) = state.requesters[which];
    let finds = state.visible & scope != 0;
    let lowers = |next: &mut State| {
        let place = &mut next.deadlines[usize::from(scope == B)];
        *place = deadline.min(*place);
    };
    let last = without == Without::DeadlineFirst;
    let mine = &mut next.requesters[which];
    *mine = (step + 1, mine.1);
    match step {
        0 if !last => lowers(&mut next),
        1 if without != Without::Barrier => next.fence(),
        2 => mine.1 = finds,
        3 if mine.1 => next.far = state.far.min(deadline),
        4 if mine.1 && without != Without::Wake => next.wake_helper(deadline),
        5 if last => lowers(&mut next),
        0..=5 => {}
        _ => return None,
    }
    if next.requesters[which].0 == 6 {
        next.requesters[which].1 = false;
    }
    Some(next)
}

fn helper(state: &State, without: Without) -> Option<State> {
    let mut next = *state;
    let last = without == Without::TakenFirst;
    next.helper = match state.helper {
        Helper::Begins => {
            (next.is_told, next.now) = (false, state.time);
            (next.earliest, next.found) = (NEVER, NEVER);
            Helper::Looks
        }
        Helper::Looks if state.far <= state.now => {
            next.found = state.far;
            if last { Helper::Tells } else { Helper::Takes }
        }
        Helper::Looks => {
            next.earliest = state.far;
            Helper::Plans
        }
        Helper::Takes => {
            if state.far == state.found || last {
                next.far = NEVER;
            }
            if without == Without::HelperPutsBack { Helper::Tells } else { Helper::PutsBack }
        }
        Helper::PutsBack => {
            next.far = state.far.min(state.next_of(state.visible, state.now));
            if last { Helper::Plans } else { Helper::Tells }
        }
        Helper::Tells => {
            next.flag = true;
            next.fence();
            Helper::Signals
        }
        Helper::Signals => {
            let fits = state.has_passed(state.visible, state.now);
            next.signalled |= fits && state.step == ASLEEP;
            if last { Helper::Takes } else { Helper::Plans }
        }
        Helper::Plans => {
            (next.next, next.found, next.now) = (state.earliest, NEVER, 0);
            Helper::Barrier
        }
        Helper::Barrier => {
            next.fence();
            if without == Without::SecondLook { Helper::FallsAsleep } else { Helper::LooksAgain }
        }
        Helper::LooksAgain if state.far < state.earliest => Helper::Begins,
        Helper::LooksAgain => Helper::FallsAsleep,
        Helper::FallsAsleep if state.is_told => Helper::Begins,
        Helper::FallsAsleep => Helper::Sleeps,
        Helper::Sleeps if state.time >= state.earliest => Helper::Begins,
        Helper::Sleeps => return None,
    };
    Some(next)
}

/// How many states there are; none if the thread is left untold in the end of a run.
fn explore((ops, requests): Program, without: Without) -> Option<usize> {
    let mut seen: HashSet<State, BuildHasherDefault<Mix>> = HashSet::default();
    seen.insert(START);
    let mut open = VecDeque::from([START]);
    while let Some(state) = open.pop_front() {
        let mut all: Vec<State> = thread(&state, ops, without).into_iter().collect();
        all.extend(helper(&state, without));
        for (which, request) in requests.into_iter().enumerate() {
            all.extend(requester(&state, which, request, without));
        }
        if state.buffered {
            let mut next = state;
            next.fence();
            all.push(next);
        }
        if state.time < LAST {
            all.push(State { time: state.time + 1, ..state });
        }
        if all.is_empty() && state.at < ops.len() && state.look().0 {
            return None;
        }
        open.extend(all.into_iter().filter(|next| seen.insert(*next)));
    }
    Some(seen.len())
}

#[test]
fn the_thread_is_told_of_each_deadline_of_its_scopes() {
    let states = PROGRAMS.map(|program| explore(program, Without::Nothing));
    println!("{states:?} states");
    assert!(states.iter().all(Option::is_some));
}

/// What the thread itself puts back as it looks is for a forked child alone, whose helper
/// knows of nothing.
#[test]
fn also_if_the_helper_alone_puts_the_next_one_back() {
    let programs =
        if std::env::var_os("STOP_TESTS").is_some() { &PROGRAMS[..] } else { &PROGRAMS[..1] };
    assert!(programs.iter().all(|program| explore(*program, Without::PutBack).is_some()));
}

#[test]
fn not_without_any_of_the_steps() {
    // Each with a program in which something is missed.
    for (without, program) in [
        (Without::EntryLook, 0),
        (Without::HelperPutsBack, 1),
        (Without::PutBackAfterShield, 3),
        (Without::DeadlineFirst, 0),
        (Without::Barrier, 0),
        (Without::Wake, 0),
        (Without::TakenFirst, 1),
        (Without::SecondLook, 1),
    ] {
        let missed = explore(PROGRAMS[program], without).is_none();
        assert!(missed, "nothing is missed without {without:?}");
    }
}
