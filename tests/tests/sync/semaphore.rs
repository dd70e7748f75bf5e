//! `Semaphore` and `Barrier`.

use super::{churn, stopped_while_it_waits};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use stop_tests::per_backend;
use stopruntime::sync::{Barrier, Semaphore};
use stopruntime::{Stopper, thread};

per_backend! {
    fn a_waiter_for_a_permit_is_stopped_and_the_permit_is_there() {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&semaphore);
        assert!(stopped_while_it_waits(move || theirs.acquire_or_stop().is_err()));
        semaphore.release();
        assert_eq!(semaphore.available(), 1);
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

    fn a_barrier_is_broken_by_who_is_stopped_as_it_comes() {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&barrier);
        let other = thread::spawn(move || theirs.wait().is_broken());
        let stopped = thread::spawn(move || {
            Stopper::current().request_stop();
            barrier.wait_or_stop().is_err()
        });
        assert!(stopped.join().unwrap());
        assert!(other.join().unwrap(), "whoever came first, the other does not wait for ever");
    }

    /// Permits are conserved.
    fn semaphore_under_random_stops() {
        let semaphore = Arc::new(Semaphore::new(3));
        let theirs = Arc::clone(&semaphore);
        let inside = Arc::new(AtomicU64::new(0));
        let stops = churn(8, move |_| {
            while let Ok(permit) = theirs.acquire_or_stop() {
                assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                std::thread::yield_now();
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
            }
        }, |()| ());
        assert_eq!(semaphore.available(), 3);
        println!("{stops} stops");
    }
}
