//! `Condvar`.

use super::{Waiter, churn, stopped_while_it_waits};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::Stopper;
use stopruntime::sync::{Condvar, Mutex};

on_backends! { FUTEXES;
    fn a_waiter_on_a_condvar_is_stopped_without_the_mutex() {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let theirs = Arc::clone(&pair);
        let outcome = stopped_while_it_waits(move || {
            let guard = theirs.0.lock().unwrap();
            theirs.1.wait_or_stop(guard).is_err()
        });
        assert!(outcome);
        assert!(pair.0.try_lock().is_ok(), "the lock is free");
    }

    fn a_wait_for_a_condition_ends_with_it_with_its_time_or_with_a_stop() {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let (count, changed) = &*pair;
        let late = changed.wait_timeout_while(count.lock().unwrap(), Duration::from_millis(1), |count| *count == 0);
        let (guard, result) = late.unwrap();
        assert!(result.timed_out() && *guard == 0);
        drop(guard);

        let long = Duration::from_secs(3600);
        let theirs = Arc::clone(&pair);
        assert!(stopped_while_it_waits(move || {
            let guard = theirs.0.lock().unwrap();
            theirs.1.wait_timeout_while_or_stop(guard, long, |count| *count == 0).is_err()
        }));
        let theirs = Arc::clone(&pair);
        let waiter = Waiter::start(move || {
            let guard = theirs.0.lock().unwrap();
            let waited = theirs.1.wait_timeout_while_or_stop(guard, long, |count| *count < 2);
            let (guard, result) = waited.unwrap().unwrap();
            (*guard, result.timed_out())
        });
        waiter.settle();
        for _ in 0..2 {
            *count.lock().unwrap() += 1;
            changed.notify_all();
        }
        assert_eq!(waiter.handle.join().unwrap(), (2, false));
    }

    /// As in C++20's `wait(lock, stop_token, predicate)`.
    fn a_condition_that_is_false_goes_before_a_request_that_came_first() {
        let (jobs, changed) = (Mutex::new(vec![2, 1]), Condvar::new());
        let long = Duration::from_secs(3600);
        Stopper::current().request_stop();
        // A condition with an effect is not asked again once it was false.
        let mut taken = None;
        let take = |jobs: &mut Vec<u32>| { taken = jobs.pop(); taken.is_none() };
        assert!(changed.wait_while_or_stop(jobs.lock().unwrap(), take).is_ok());
        assert_eq!(taken.take(), Some(1));
        let take = |jobs: &mut Vec<u32>| { taken = jobs.pop(); taken.is_none() };
        let waited = changed.wait_timeout_while_or_stop(jobs.lock().unwrap(), long, take);
        assert!(!waited.unwrap().unwrap().1.timed_out());
        assert_eq!(taken, Some(2));
        let take = |jobs: &mut Vec<u32>| jobs.is_empty();
        for time in [Duration::ZERO, long] {
            assert!(changed.wait_timeout_while_or_stop(jobs.lock().unwrap(), time, take).is_err());
        }
        assert!(changed.wait_while_or_stop(jobs.lock().unwrap(), take).is_err());
        assert!(jobs.try_lock().is_ok(), "the lock is free");
    }

    fn a_condition_that_became_false_unnoticed_goes_before_the_stop_of_the_wait() {
        let pair = Arc::new((Mutex::new(vec![]), Condvar::new()));
        let theirs = Arc::clone(&pair);
        let waiter = Waiter::start(move || {
            let mut taken = None;
            let take = |jobs: &mut Vec<u32>| { taken = jobs.pop(); taken.is_none() };
            drop(theirs.1.wait_while_or_stop(theirs.0.lock().unwrap(), take));
            taken
        });
        waiter.settle();
        // Without a notification.
        pair.0.lock().unwrap().extend([2, 1]);
        assert_eq!(waiter.handle.stop_and_join().unwrap(), Some(1));
        assert_eq!(*pair.0.lock().unwrap(), [2]);
    }

    /// The thread that requests the stop may hold the mutex while it joins.
    fn a_stopped_wait_for_a_condition_does_not_wait_for_the_mutex() {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let theirs = Arc::clone(&pair);
        let waiter = Waiter::start(move || {
            let guard = theirs.0.lock().unwrap();
            theirs.1.wait_while_or_stop(guard, |count| *count == 0).is_err()
        });
        waiter.settle();
        let mut guard = pair.0.lock().unwrap();
        *guard = 1;
        assert!(waiter.handle.stop_and_join().unwrap());
        drop(guard);
    }

    /// A notification is never lost with a stopped waiter: with as many tokens
    /// as notifications, a waiter that is not stopped gets each.
    fn condvar_under_random_stops() {
        let pair = Arc::new((Mutex::new(0_u64), Condvar::new()));
        let theirs = Arc::clone(&pair);
        let made = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&made);
        let running = Arc::new(AtomicBool::new(true));
        let goes_on = Arc::clone(&running);
        // One producer, which waits until its token is taken: a lost
        // notification would hang it.
        let producer = {
            let pair = Arc::clone(&pair);
            std::thread::spawn(move || {
                while goes_on.load(Ordering::SeqCst) {
                    *pair.0.lock().unwrap() += 1;
                    pair.1.notify_one();
                    counted.fetch_add(1, Ordering::SeqCst);
                    while *pair.0.lock().unwrap() != 0 && goes_on.load(Ordering::SeqCst) {
                        std::thread::yield_now();
                    }
                }
            })
        };
        let mut taken = 0;
        let stops = churn(8, move |_| {
            let mut mine = 0;
            while let Ok(guard) = theirs.0.lock_or_stop() {
                let waited = theirs.1.wait_while_or_stop(guard.unwrap(), |tokens| *tokens == 0);
                let Ok(tokens) = waited else { break };
                *tokens.unwrap() -= 1;
                mine += 1;
            }
            mine
        }, |mine: u64| taken += mine);
        running.store(false, Ordering::SeqCst);
        producer.join().unwrap();
        let left = *pair.0.lock().unwrap();
        assert_eq!(made.load(Ordering::SeqCst), taken + left);
        println!("{taken} tokens, {stops} stops");
    }
}
