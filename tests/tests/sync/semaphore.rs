//! `Semaphore` and `Barrier`.

use super::{Waiter, churn, seconds, stop_some_while, stopped_while_it_waits};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Instant;
use stop_tests::dice::Dice;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::sync::{Barrier, Semaphore, SemaphoreGuard};
use stopruntime::{Stopper, thread};

on_backends! { FUTEXES;
    fn a_waiter_for_a_permit_is_stopped_and_the_permit_is_there() {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&semaphore);
        assert!(stopped_while_it_waits(move || theirs.acquire_or_stop().is_err()));
        semaphore.release();
        assert_eq!(semaphore.available(), 1);
    }

    fn a_thread_that_wants_many_permits_is_stopped_or_gets_them_all() {
        let semaphore = Arc::new(Semaphore::new(2));
        for _ in 0..2 {
            let theirs = Arc::clone(&semaphore);
            assert!(stopped_while_it_waits(move || theirs.acquire_many_or_stop(3).is_err()));
            assert_eq!(semaphore.available(), 2, "none was taken");
        }
        // Two who want more than there is, and one whom a permit is enough for.
        let held = semaphore.acquire_many(2);
        let waiters: Vec<_> = [3, 4, 1].into_iter().map(|permits| {
            let theirs = Arc::clone(&semaphore);
            let waiter = Waiter::start(move || theirs.acquire_many(permits).forget());
            waiter.settle();
            waiter
        }).collect();
        let mut waiters = waiters.into_iter().map(|waiter| waiter.handle);
        let (three, four, one) = (waiters.next().unwrap(), waiters.next().unwrap(), waiters.next().unwrap());
        semaphore.release();
        one.join().unwrap();
        assert!(!three.is_finished() && !four.is_finished());
        drop(held);
        semaphore.release();
        three.join().unwrap();
        semaphore.release_many(4);
        four.join().unwrap();
        assert!(semaphore.try_acquire().is_none() && semaphore.try_acquire_many(0).is_some());
    }

    fn a_stopped_participant_breaks_the_barrier() {
        let barrier = Arc::new(Barrier::new(3));
        let theirs = Arc::clone(&barrier);
        let other = thread::spawn(move || theirs.wait().is_broken());
        let theirs = Arc::clone(&barrier);
        assert!(stopped_while_it_waits(move || theirs.wait_or_stop().is_err()));
        assert!(other.join().unwrap(), "the others are let go, and told");
        assert!(barrier.wait().is_broken());
    }

    fn a_barrier_is_broken_by_a_thread_stopped_as_it_comes() {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&barrier);
        let other = thread::spawn(move || theirs.wait().is_broken());
        let stopped = thread::spawn(move || {
            Stopper::current().request_stop();
            barrier.wait_or_stop().is_err()
        });
        assert!(stopped.join().unwrap());
        assert!(other.join().unwrap(), "no matter which came first, the other does not wait for ever");
    }

    /// Permits are conserved.
    fn semaphore_under_random_stops() {
        let semaphore = Arc::new(Semaphore::new(3));
        let theirs = Arc::clone(&semaphore);
        let inside = Arc::new(AtomicU64::new(0));
        let stops = churn(8, move |at| {
            let permits = if at % 4 == 0 { 2 } else { 1 };
            while let Ok(permit) = theirs.acquire_many_or_stop(permits) {
                assert!(inside.fetch_add(permits.into(), Ordering::SeqCst) + u64::from(permits) <= 3);
                std::thread::yield_now();
                inside.fetch_sub(permits.into(), Ordering::SeqCst);
                drop(permit);
            }
        }, |()| ());
        assert_eq!(semaphore.available(), 3);
        println!("{stops} stops");
    }

    /// A thread that waits and is not stopped gets the permits that are there for all.
    fn no_thread_is_left_asleep_beside_a_free_permit() {
        let mut dice = Dice::new();
        let mut rounds = 0;
        let end = Instant::now() + seconds();
        while Instant::now() < end {
            let semaphore = Arc::new(Semaphore::new(0));
            let wanted: Vec<u32> = (0..6).map(|_| if dice.chance(3) { 2 } else { 1 }).collect();
            let waiters = wanted.iter().map(|&permits| {
                let theirs = Arc::clone(&semaphore);
                Waiter::start(move || theirs.acquire_many_or_stop(permits).map(SemaphoreGuard::forget))
            }).collect();
            let sum: u32 = wanted.iter().sum();
            let outcomes = stop_some_while(&mut dice, waiters, || (0..sum).for_each(|_| semaphore.release()));
            let mut taken = 0;
            for ((outcome, requested), permits) in outcomes.into_iter().zip(wanted) {
                assert!(outcome.is_ok() || requested);
                taken += if outcome.is_ok() { permits } else { 0 };
            }
            assert_eq!(semaphore.available() + taken, sum);
            rounds += 1;
        }
        println!("{rounds} rounds");
    }
}
