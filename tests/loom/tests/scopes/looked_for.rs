//! Each of two stores, and then looks for what the other stores: at least one finds it.

use super::says;
use std::sync::Arc;
use stop_loom::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use stop_loom::atomic::{AtomicU32, Ordering, compiler_fence, fence};
use stop_loom::model;
use stop_loom::signal::barrier_for_all;
use stop_loom::thread::spawn;

type Words = Arc<[AtomicU32; 2]>;

/// What is between the store and the look.
#[derive(Clone, Copy)]
enum Between {
    Nothing,
    /// The other's barrier for all threads makes it a fence.
    Light,
    Fence,
    BarrierForAll,
}

impl Between {
    fn pass(self) {
        match self {
            Between::Nothing => {}
            Between::Light => compiler_fence(SeqCst),
            Between::Fence => fence(SeqCst),
            Between::BarrierForAll => assert!(barrier_for_all()),
        }
    }
}

/// Whether both can miss the other: a thread that stores as `own` does, and a requester or
/// the helper that modifies a word as `other` does.
fn both_miss(own: Ordering, thread: Between, requester: Between) -> bool {
    let seen = model(move || {
        let words = Words::default();
        let theirs = Arc::clone(&words);
        let other = spawn(move || {
            // SeqCst in the source; what C++ promises of that to loads of another kind.
            theirs[1].fetch_or(1, AcqRel);
            requester.pass();
            theirs[0].load(Acquire)
        });
        words[0].store(1, own);
        thread.pass();
        (words[1].load(Acquire), other.join())
    });
    assert!(seen.contains(&(1, 1)) && seen.len() >= 3, "{seen:?}");
    seen.contains(&(0, 0))
}

/// *Thread:* its cells and their range, then the scope. *Requester:* the scope, then the
/// ranges of all threads.
#[test]
fn a_scope_that_is_entered_is_looked_at_by_one_of_both() {
    says("runtime/scopes/publish.rs", "range.store(range + 1, Ordering::Release); order();");
    says("runtime/signal.rs", "is_ordered_by_others() { compiler_fence(Ordering::SeqCst); }");
    says("runtime/signal.rs", "mutant: own-fence-where-others-have-none fence(Ordering::SeqCst);");
    says("runtime/signal.rs", "fence(Ordering::SeqCst); return is_ppoll;");
    // By the requester's barrier, or by a fence of each.
    assert!(!both_miss(Release, Between::Light, Between::BarrierForAll));
    assert!(!both_miss(Release, Between::Fence, Between::Fence));
    assert!(both_miss(Release, Between::Light, Between::Fence));
    assert!(both_miss(Release, Between::Fence, Between::Nothing), "the requester needs its own");
}

/// *Thread:* its deadline, then when the helper wakes up. *Helper:* that, then the deadlines.
#[test]
fn a_deadline_is_in_the_plan_or_wakes_the_helper() {
    says("runtime/scopes/publish.rs", "self.visible.deadline.store(deadline, Ordering::Relaxed);");
    says("runtime/scopes/helper.rs", "helper.next.load(Ordering::Relaxed)");
    says("runtime/scopes/helper.rs", "self.next.store(planned, Ordering::SeqCst);");
    assert!(!both_miss(Relaxed, Between::Light, Between::BarrierForAll));
    assert!(!both_miss(Relaxed, Between::Fence, Between::Fence));
    assert!(both_miss(Relaxed, Between::Nothing, Between::Fence));
}

/// *Watcher:* the scope is watched, then its deadline. *Requester:* a deadline, then whether
/// the scope is watched.
#[test]
fn a_deadline_is_told_to_a_watcher_or_seen_by_it() {
    says("runtime/scopes/callbacks.rs", "scope.set_upwards(WATCHED); fence(Ordering::SeqCst);");
    assert!(!both_miss(Release, Between::Fence, Between::Fence));
    assert!(both_miss(Release, Between::Nothing, Between::Fence));
}

/// *Thread:* flag <- 3, then its scopes. *Requester:* the scope, then flag <- 1. What the
/// thread finds, and its flag afterwards.
fn looks(ordered: bool) -> Vec<(u32, u32)> {
    model(move || {
        let words = Words::default();
        let theirs = Arc::clone(&words);
        let requester = spawn(move || {
            let [state, flag] = &*theirs;
            state.fetch_or(1, if ordered { SeqCst } else { Relaxed });
            flag.store(1, if ordered { SeqCst } else { Relaxed });
        });
        let [state, flag] = &*words;
        flag.store(3, if ordered { SeqCst } else { Relaxed });
        if ordered {
            fence(SeqCst);
        }
        let found = state.load(Acquire);
        requester.join();
        (found, flag.touch(Acquire))
    })
}

#[test]
fn a_flag_that_stays_at_3_has_seen_the_request() {
    says(
        "runtime/scopes/look.rs",
        "flag.store(LOOKED, Ordering::SeqCst); fence(Ordering::SeqCst);",
    );
    assert_eq!(looks(true), [(0, 1), (1, 1), (1, 3)]);
    assert!(looks(false).contains(&(0, 3)));
}

/// *Thread:* flag <- 3, then whether a requester is in flight, and if none is, 3 -> 0.
/// *Requester:* counts itself, then flag <- 1, and does not find it at 0 while it is in flight.
fn lowered(ordered: bool) -> Vec<u32> {
    model(move || {
        let words = Words::default();
        let theirs = Arc::clone(&words);
        let requester = spawn(move || {
            let [in_flight, flag] = &*theirs;
            in_flight.fetch_add(1, if ordered { SeqCst } else { Relaxed });
            // A store in the source. loom does not know that nothing comes between what a
            // compare-and-swap has read and what it writes.
            flag.swap(1, if ordered { SeqCst } else { Relaxed });
            flag.touch(Acquire)
        });
        let [in_flight, flag] = &*words;
        flag.store(3, if ordered { SeqCst } else { Relaxed });
        if ordered {
            fence(SeqCst);
        }
        if in_flight.load(if ordered { SeqCst } else { Relaxed }) == 0 {
            let _ = flag.compare_exchange(3, 0, AcqRel, Acquire);
        }
        requester.join()
    })
}

#[test]
fn a_flag_is_not_taken_down_under_a_requester() {
    says("runtime/scopes/in_flight.rs", "IN_FLIGHT.0.fetch_add(1, Ordering::SeqCst);");
    says("runtime/scopes/in_flight.rs", "IN_FLIGHT.0.load(Ordering::SeqCst) != 0");
    assert_eq!(lowered(true), [1, 3]);
    assert!(lowered(false).contains(&0));
}
