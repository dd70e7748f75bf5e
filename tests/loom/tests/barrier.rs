//! The barrier: the threads meet and see what each did before, or all of them
//! are told that they have not met, or they were stopped. No thread is left.

use std::sync::{Arc, Mutex};
use stop_loom::sync::Barrier;
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::{Data, model, model_bounded};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Follower,
    Leader,
    Broken,
    Stopped,
}
use End::{Broken, Follower, Leader, Stopped};

fn wait(barrier: &Barrier) -> End {
    let result = barrier.wait();
    match (result.is_leader(), result.is_broken()) {
        (true, false) => Leader,
        (false, false) => Follower,
        (false, true) => Broken,
        (true, true) => panic!("a leader among threads that have not met"),
    }
}

fn wait_or_stop(barrier: &Barrier) -> End {
    match barrier.wait_or_stop() {
        Err(_stopped) => Stopped,
        Ok(result) if result.is_broken() => Broken,
        Ok(result) if result.is_leader() => Leader,
        Ok(_follower) => Follower,
    }
}

#[test]
fn a_thread_that_meets_sees_what_the_others_did() {
    let outcomes = model(|| {
        // std's mutexes order nothing here, as loom does not know them.
        let data = [(); 2].map(|()| Mutex::new(Data::new(0)));
        let shared = Arc::new((Barrier::new(2), data));
        let theirs = Arc::clone(&shared);
        let meet = |shared: &(Barrier, [Mutex<Data>; 2]), own: usize| {
            shared.1[own].try_lock().unwrap().set(1);
            let end = wait(&shared.0);
            assert_eq!(shared.1[1 - own].try_lock().unwrap().get(), 1);
            end
        };
        let other = spawn(move || meet(&theirs, 0));
        let mut ends = [meet(&shared, 1), other.join()];
        ends.sort();
        ends
    });
    assert_eq!(outcomes, [[Follower, Leader]]);
}

#[test]
fn it_serves_again() {
    let outcomes = model_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&barrier);
        let other = spawn(move || [wait(&theirs), wait(&theirs)]);
        let (first, second) = (wait(&barrier), wait(&barrier));
        let [other_first, other_second] = other.join();
        [[first, other_first], [second, other_second]].map(|mut ends| {
            ends.sort();
            ends
        })
    });
    assert_eq!(outcomes, [[[Follower, Leader]; 2]]);
}

#[test]
fn two_meet_or_know_that_they_have_not() {
    let outcomes = model_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&barrier);
        let other = spawn(move || wait_or_stop(&theirs));
        let stopper = other.stopper();
        let requester = spawn(move || stopper.request_stop());
        let own = wait(&barrier);
        assert!(requester.join());
        (own, other.join())
    });
    assert_eq!(outcomes, [(Follower, Leader), (Leader, Follower), (Broken, Stopped)]);
}

#[test]
fn three_meet_or_know_that_they_have_not() {
    let outcomes = model_bounded(2, || {
        let barrier = Arc::new(Barrier::new(3));
        let others = [(); 2].map(|()| {
            let barrier = Arc::clone(&barrier);
            spawn(move || wait_or_stop(&barrier))
        });
        let stopper = others[0].stopper();
        let requester = spawn(move || stopper.request_stop());
        let own = wait(&barrier);
        assert!(requester.join());
        let [first, second] = others.map(JoinHandle::join);
        assert_ne!(second, Stopped);
        let mut ends = [own, first, second];
        ends.sort();
        ends
    });
    assert_eq!(outcomes, [[Follower, Follower, Leader], [Broken, Broken, Stopped]]);
}

/// As after a signal that is no request.
#[test]
fn a_wait_that_returns_early_goes_on() {
    let outcomes = model_bounded(3, || {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&barrier);
        let other = spawn(move || wait(&theirs));
        other.interrupt();
        let mut ends = [wait(&barrier), other.join()];
        ends.sort();
        ends
    });
    assert_eq!(outcomes, [[Follower, Leader]]);
}
