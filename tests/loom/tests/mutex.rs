//! The mutex: one holder at a time, which sees what the one before it did; and a
//! waiter that is stopped leaves the lock and its wake-up to the others.

use std::sync::Arc;
use stop_loom::sync::Mutex;
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::{Data, model, model_bounded};

fn increase(mutex: &Mutex<Data>) {
    mutex.lock().unwrap().increase();
}

fn increase_or_stop(mutex: &Mutex<Data>) -> bool {
    mutex.lock_or_stop().map(|data| data.unwrap().increase()).is_ok()
}

fn count(mutex: &Mutex<Data>) -> usize {
    mutex.lock().unwrap().get()
}

#[test]
fn holders_exclude_each_other() {
    model_bounded(3, || {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let workers = [(); 2].map(|()| {
            let mutex = Arc::clone(&mutex);
            spawn(move || increase(&mutex))
        });
        increase(&mutex);
        let _ends = workers.map(JoinHandle::join);
        assert_eq!(count(&mutex), 3);
    });
}

#[test]
fn a_successful_try_makes_a_holder_too() {
    let outcomes = model(|| {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let theirs = Arc::clone(&mutex);
        let worker = spawn(move || theirs.try_lock().map(|mut data| data.increase()).is_ok());
        increase(&mutex);
        let tried = worker.join();
        assert_eq!(count(&mutex), 1 + usize::from(tried));
        tried
    });
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn a_stopped_waiter_has_taken_nothing() {
    let outcomes = model(|| {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let theirs = Arc::clone(&mutex);
        let worker = spawn(move || increase_or_stop(&theirs));
        let held = mutex.lock().unwrap();
        worker.request_stop();
        drop(held);
        let taken = worker.join();
        assert_eq!(mutex.try_lock().unwrap().get(), usize::from(taken));
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

/// The first is woken, finds that another thread has overtaken it, and is
/// stopped while it waits again.
#[test]
fn a_stopped_waiter_leaves_the_lock_to_the_next() {
    let outcomes = model_bounded(2, || {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let held = mutex.lock().unwrap();
        let (first, second) = (Arc::clone(&mutex), Arc::clone(&mutex));
        let first = spawn(move || increase_or_stop(&first));
        let second = spawn(move || increase(&second));
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        drop(held);
        increase(&mutex);
        let taken = first.join();
        second.join();
        assert!(requester.join());
        assert_eq!(count(&mutex), 2 + usize::from(taken));
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

/// As after a signal that is no request.
#[test]
fn a_wait_that_returns_early_goes_on() {
    model_bounded(3, || {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let held = mutex.lock().unwrap();
        let theirs = Arc::clone(&mutex);
        let waiter = spawn(move || increase(&theirs));
        waiter.interrupt();
        drop(held);
        increase(&mutex);
        waiter.join();
        assert_eq!(count(&mutex), 2);
    });
}
