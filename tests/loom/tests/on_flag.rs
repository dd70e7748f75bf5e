//! The mark of a thread that sleeps on its flag: no request is lost, with a barrier of the
//! requester's or a fence of the thread's, and one that has woken the thread has done it all.

use std::sync::{Arc, Mutex};
use stop_loom::atomic::{AtomicU32, Ordering::SeqCst};
use stop_loom::futex::futex_wait;
use stop_loom::on_flag::OnFlag;
use stop_loom::signal::{barrier_for_all, order_by_others};
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::{Data, LOOK, model, model_bounded};

struct Target {
    flag: AtomicU32,
    on_flag: OnFlag,
    before: Mutex<Data>,
}

/// Which look of a requester's has found the thread asleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Woken {
    Never,
    First,
    BehindTheBarrier,
}

impl Target {
    fn new() -> Arc<Target> {
        let (flag, on_flag) = (AtomicU32::new(0), OnFlag::new());
        Arc::new(Target { flag, on_flag, before: Mutex::new(Data::new(0)) })
    }

    /// Waits until it is requested to stop; whether it has slept, or was about to.
    fn wait(&self) -> bool {
        let mut waited = false;
        while self.flag.load(SeqCst) != LOOK {
            let wait = |seen| futex_wait(&self.flag, seen, None);
            waited |= self.on_flag.wait(&self.flag, wait).1.is_some();
        }
        waited
    }

    /// As `scopes::request`, of a thread that is in no other call.
    fn request(&self, barrier: bool) -> Woken {
        self.flag.store(LOOK, SeqCst);
        if self.on_flag.wake(&self.flag) {
            return Woken::First;
        }
        assert!(!barrier || barrier_for_all());
        if self.on_flag.wake(&self.flag) { Woken::BehindTheBarrier } else { Woken::Never }
    }
}

fn one_requester(barrier: bool) {
    let outcomes = model(move || {
        if barrier {
            order_by_others();
        }
        let target = Target::new();
        let theirs = Arc::clone(&target);
        let requester = spawn(move || {
            theirs.before.try_lock().unwrap().set(1);
            theirs.request(barrier)
        });
        let waited = target.wait();
        assert_eq!(target.before.try_lock().unwrap().get(), 1);
        (waited, requester.join())
    });
    // A thread that was woken has slept.
    assert!(outcomes.iter().all(|(waited, woken)| *waited || *woken == Woken::Never));
    for outcome in [(false, Woken::Never), (true, Woken::Never), (true, Woken::First)] {
        assert!(outcomes.contains(&outcome), "{outcomes:?}");
    }
}

#[test]
fn with_a_fence_of_the_threads() {
    one_requester(false);
}

#[test]
fn with_a_barrier_of_the_requesters() {
    one_requester(true);
}

#[test]
fn two_requesters() {
    model_bounded(3, || {
        let target = Target::new();
        let requesters = [(); 2].map(|()| {
            let theirs = Arc::clone(&target);
            spawn(move || theirs.request(false))
        });
        target.wait();
        let woken = requesters.map(JoinHandle::join);
        assert!(woken.contains(&Woken::Never), "it has slept once");
    });
}
