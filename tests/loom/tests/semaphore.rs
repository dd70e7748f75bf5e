//! The semaphore: no more holders than permits; and as many permits as before,
//! no thread asleep while one is free, no matter which thread is stopped.

use std::sync::{Arc, Mutex};
use stop_loom::atomic::{AtomicU32, Ordering::Relaxed};
use stop_loom::sync::{Semaphore, SemaphoreGuard};
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::time::{Duration, pass};
use stop_loom::{Data, model_bounded};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_permit_is_a_lock() {
    model_bounded(3, || {
        // std's mutex orders nothing here, as loom does not know it.
        let shared = Arc::new((Semaphore::new(1), Mutex::new(Data::new(0))));
        let workers = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            spawn(move || {
                let _permit = shared.0.acquire();
                shared.1.try_lock().unwrap().increase();
            })
        });
        let _ends = workers.map(JoinHandle::join);
        assert_eq!(shared.1.try_lock().unwrap().get(), 2);
        assert_eq!(shared.0.available(), 1);
    });
}

#[test]
fn no_more_holders_than_permits() {
    model_bounded(2, || {
        let shared = Arc::new((Semaphore::new(2), AtomicU32::new(0)));
        let workers = [(); 3].map(|()| {
            let shared = Arc::clone(&shared);
            spawn(move || {
                let _permit = shared.0.acquire();
                let others = shared.1.fetch_add(1, Relaxed);
                assert!(others < 2);
                shared.1.fetch_sub(1, Relaxed);
            })
        });
        let _ends = workers.map(JoinHandle::join);
        assert_eq!(shared.0.available(), 2);
    });
}

#[test]
fn a_stopped_waiter_has_taken_no_permit() {
    let outcomes = model_bounded(3, || {
        let places = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&places);
        let waiter = spawn(move || theirs.acquire_or_stop().map(SemaphoreGuard::forget).is_ok());
        let stopper = waiter.stopper();
        let requester = spawn(move || stopper.request_stop());
        places.release();
        let taken = waiter.join();
        assert!(requester.join());
        assert_eq!(places.available(), u32::from(!taken));
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn a_stopped_waiter_leaves_the_permit_to_the_next() {
    let outcomes = model_bounded(2, || {
        let places = Arc::new(Semaphore::new(0));
        let (first, second) = (Arc::clone(&places), Arc::clone(&places));
        let first = spawn(move || first.acquire_or_stop().map(SemaphoreGuard::forget).is_ok());
        let second = spawn(move || second.acquire().forget());
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        places.release();
        let taken = first.join();
        if taken {
            places.release();
        }
        second.join();
        assert!(requester.join());
        assert_eq!(places.available(), 0);
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn a_waiter_that_is_overtaken_and_stopped_leaves_the_permit_to_the_next() {
    let outcomes = model_bounded(2, || {
        let places = Arc::new(Semaphore::new(1));
        let (first, second) = (Arc::clone(&places), Arc::clone(&places));
        let first = spawn(move || drop(first.acquire_or_stop()));
        let second = spawn(move || drop(second.acquire()));
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        drop(places.acquire());
        first.join();
        second.join();
        assert!(requester.join());
        places.available()
    });
    assert_eq!(outcomes, [1]);
}

/// No thread sleeps while there are enough permits for it, whether it wants one or many,
/// no matter which thread is stopped and in what portions the permits come.
#[test]
fn many_permits_take_no_wake_up_meant_for_one() {
    let outcomes = model_bounded(2, || {
        let places = Arc::new(Semaphore::new(0));
        let (first, second) = (Arc::clone(&places), Arc::clone(&places));
        let first =
            spawn(move || first.acquire_many_or_stop(2).map(SemaphoreGuard::forget).is_ok());
        let second = spawn(move || second.acquire().forget());
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        places.release();
        places.release_many(2);
        second.join();
        let taken = first.join();
        assert!(requester.join());
        assert_eq!(places.available(), if taken { 0 } else { 2 });
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

/// There is only one permit, and no other release that wakes all waiters.
#[test]
fn one_permit_wakes_a_waiter_for_one() {
    model_bounded(2, || {
        let places = Arc::new(Semaphore::new(0));
        let (first, second) = (Arc::clone(&places), Arc::clone(&places));
        let first =
            spawn(move || first.acquire_many_or_stop(2).map(SemaphoreGuard::forget).is_ok());
        let second = spawn(move || second.acquire().forget());
        places.release();
        second.join();
        assert!(first.stopper().request_stop());
        assert!(!first.join());
        assert_eq!(places.available(), 0);
    });
}

#[test]
fn many_permits_come_one_by_one() {
    model_bounded(2, || {
        let places = Arc::new(Semaphore::new(0));
        let waiters = [1, 2].map(|permits| {
            let places = Arc::clone(&places);
            spawn(move || places.acquire_many(permits).forget())
        });
        for _ in 0..3 {
            places.release();
        }
        let _ends = waiters.map(JoinHandle::join);
        assert_eq!(places.available(), 0);
    });
}

#[test]
fn one_whose_time_is_over_leaves_the_permit_to_the_next() {
    let outcomes = model_bounded(2, || {
        let places = Arc::new(Semaphore::new(0));
        let (first, second) = (Arc::clone(&places), Arc::clone(&places));
        let first =
            spawn(move || first.acquire_timeout(SECOND).map(SemaphoreGuard::forget).is_some());
        let second = spawn(move || second.acquire().forget());
        let clock = spawn(pass);
        places.release();
        clock.join();
        let taken = first.join();
        if taken {
            places.release();
        }
        second.join();
        assert_eq!(places.available(), 0);
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

/// As after a signal that is no request.
#[test]
fn a_wait_that_returns_early_goes_on() {
    model_bounded(3, || {
        let places = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&places);
        let waiter = spawn(move || theirs.acquire().forget());
        waiter.interrupt();
        places.release();
        waiter.join();
        assert_eq!(places.available(), 0);
    });
}
