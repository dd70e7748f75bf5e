//! The condition variable: no notification is lost, no matter which thread is stopped.

use std::sync::Arc;
use stop_loom::sync::{Condvar, Mutex};
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::time::{Duration, Instant, pass};
use stop_loom::{Data, model, model_bounded};

const SECOND: Duration = Duration::from_secs(1);

/// Tokens to be given and taken.
#[derive(Default)]
struct Place {
    tokens: Mutex<Data>,
    given: Condvar,
}

fn take(tokens: &mut Data) {
    let left = tokens.get() - 1;
    tokens.set(left);
}

impl Place {
    fn put(&self) {
        self.tokens.lock().unwrap().increase();
    }

    fn give(&self) {
        self.put();
        self.given.notify_one();
    }

    fn take(&self) {
        let tokens = self.tokens.lock().unwrap();
        take(&mut self.given.wait_while(tokens, |tokens| tokens.get() == 0).unwrap());
    }

    fn take_before(&self, deadline: Instant) -> bool {
        let mut tokens = self.tokens.lock().unwrap();
        while tokens.get() == 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let (again, waited) = self.given.wait_timeout(tokens, left).unwrap();
            tokens = again;
            if tokens.get() == 0 && waited.timed_out() {
                return false;
            }
        }
        take(&mut tokens);
        true
    }

    fn take_or_stop(&self) -> bool {
        let tokens = self.tokens.lock().unwrap();
        let waited = self.given.wait_while_or_stop(tokens, |tokens| tokens.get() == 0);
        waited.map(|tokens| take(&mut tokens.unwrap())).is_ok()
    }
}

#[test]
fn a_waiter_is_woken() {
    model(|| {
        let place = Arc::new(Place::default());
        let theirs = Arc::clone(&place);
        let waiter = spawn(move || theirs.take());
        place.give();
        waiter.join();
    });
}

#[test]
fn a_waiter_is_woken_or_stopped() {
    let outcomes = model_bounded(3, || {
        let place = Arc::new(Place::default());
        let theirs = Arc::clone(&place);
        let waiter = spawn(move || theirs.take_or_stop());
        let stopper = waiter.stopper();
        let requester = spawn(move || stopper.request_stop());
        place.give();
        let taken = waiter.join();
        assert!(requester.join());
        assert_eq!(place.tokens.try_lock().unwrap().get(), usize::from(!taken));
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

/// Whom the notification meets first may be the one that is stopped.
#[test]
fn a_stopped_waiter_leaves_the_notification_to_the_next() {
    let outcomes = model_bounded(2, || {
        let place = Arc::new(Place::default());
        let (first, second) = (Arc::clone(&place), Arc::clone(&place));
        let first = spawn(move || first.take_or_stop());
        let second = spawn(move || second.take());
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        place.give();
        let taken = first.join();
        if taken {
            place.give();
        }
        second.join();
        assert!(requester.join());
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn all_are_woken() {
    let outcomes = model_bounded(2, || {
        let place = Arc::new(Place::default());
        let waiters = [(); 2].map(|()| {
            let place = Arc::clone(&place);
            spawn(move || {
                let tokens = place.tokens.lock().unwrap();
                place.given.wait_while_or_stop(tokens, |tokens| tokens.get() == 0).is_ok()
            })
        });
        let stopper = waiters[0].stopper();
        let requester = spawn(move || stopper.request_stop());
        place.put();
        place.given.notify_all();
        let [first, second] = waiters.map(JoinHandle::join);
        assert!(requester.join() && second);
        first
    });
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn one_whose_time_is_over_leaves_the_notification_to_the_next() {
    let outcomes = model_bounded(2, || {
        let place = Arc::new(Place::default());
        let (first, second) = (Arc::clone(&place), Arc::clone(&place));
        let deadline = Instant::now().checked_add(SECOND).unwrap();
        let first = spawn(move || first.take_before(deadline));
        let second = spawn(move || second.take());
        let clock = spawn(pass);
        place.give();
        let taken = first.join();
        if taken {
            place.give();
        }
        second.join();
        clock.join();
        taken
    });
    assert_eq!(outcomes, [false, true]);
}

/// Without a condition to look at again: of two who wait when it is sent, one
/// the thread that is not stopped has it.
#[test]
fn a_notification_finds_one_that_goes_on() {
    let outcomes = model_bounded(2, || {
        let place = Arc::new((Mutex::new(0), Condvar::new(), Condvar::new()));
        let (first, second) = (Arc::clone(&place), Arc::clone(&place));
        let first = spawn(move || {
            let mut waiting = first.0.lock().unwrap();
            *waiting += 1;
            first.1.notify_one();
            first.2.wait_or_stop(waiting).is_ok()
        });
        let second = spawn(move || {
            let mut waiting = second.0.lock().unwrap();
            *waiting += 1;
            second.1.notify_one();
            drop(second.2.wait(waiting));
        });
        let waiting = place.0.lock().unwrap();
        drop(place.1.wait_while(waiting, |waiting| *waiting < 2));
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        place.2.notify_one();
        let woken = first.join();
        if woken {
            place.2.notify_one();
        }
        second.join();
        assert!(requester.join());
        woken
    });
    assert_eq!(outcomes, [false, true]);
}
