//! A stop-checked `park`: ended by a request, and no token is lost with it.

use libc::SYS_futex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::{part_of, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{park_or_stop, park_timeout_or_stop};
use stopruntime::{Stopper, shield, stoppable, thread};

const LONG: Duration = Duration::from_secs(1_000);

/// A thread that parks as `park` does, and its id once it is parked.
fn parked<T: Send + 'static>(
    park: impl FnOnce() -> T + Send + 'static,
) -> (thread::JoinHandle<T>, i32) {
    let (sender, receiver) = mpsc::channel();
    let parked = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        park()
    });
    let id = receiver.recv().unwrap();
    wait_until_blocked_in(id, &[SYS_futex]);
    (parked, id)
}

per_backend! {
    fn a_request_ends_a_park_and_a_park_with_a_timeout() {
        assert!(parked(park_or_stop).0.stop_and_join().unwrap().is_err());
        assert!(parked(|| park_timeout_or_stop(LONG)).0.stop_and_join().unwrap().is_err());
    }

    fn an_unpark_ends_it_and_a_stop_afterwards_is_seen_by_the_next() {
        let (waiter, _) = parked(|| (park_or_stop(), Stopper::current().request_stop(), park_or_stop()));
        waiter.thread().unpark();
        let (first, requested, second) = waiter.join().unwrap();
        assert!(first.is_ok() && requested && second.is_err());
    }

    fn a_time_out_ends_it() {
        assert!(park_timeout_or_stop(Duration::from_millis(1)).is_ok());
    }

    /// Requested before, it neither parks nor leaves a token behind.
    fn a_request_before_leaves_the_token_alone() {
        let stopped = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&stopped);
        let (waiter, _) = parked(move || {
            Stopper::current().request_stop();
            assert!(park_or_stop().is_err());
            seen.store(1, Ordering::SeqCst);
            std::thread::park();
        });
        assert_eq!(stopped.load(Ordering::SeqCst), 1, "the marked one has not parked");
        // It sleeps, so there was no token.
        waiter.thread().unpark();
        waiter.join().unwrap();
        let kept = thread::spawn(|| {
            std::thread::current().unpark();
            Stopper::current().request_stop();
            assert!(park_or_stop().is_err());
            // A hang if the stopped call had taken it.
            std::thread::park();
        });
        kept.join().unwrap();
    }

    fn a_shield_holds_the_request_until_the_token_comes() {
        let (waiter, id) = parked(|| (shield(park_or_stop), park_or_stop()));
        assert!(waiter.request_stop());
        wait_until_blocked_in(id, &[SYS_futex]);
        waiter.thread().unpark();
        let (inside, outside) = waiter.join().unwrap();
        assert!(inside.is_ok() && outside.is_err());
    }

    fn a_marked_park_leaves_the_loop() {
        #[stoppable]
        fn nap() -> u32 {
            let mut naps = 0;
            loop {
                #[blocking]
                thread::park();
                naps += 1;
                #[blocking]
                thread::park_timeout(LONG);
            }
            naps
        }
        assert_eq!(parked(nap).0.stop_and_join().unwrap(), 0);
    }

    /// Each token is given when the one before has been taken; one that is lost
    /// with a stop hangs the giver.
    fn no_token_is_lost_under_random_stops() {
        let given = Arc::new(AtomicU64::new(0));
        let taken = Arc::new(AtomicU64::new(0));
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        for _ in 0..part_of(3_000) {
            let (theirs, seen) = (Arc::clone(&given), Arc::clone(&taken));
            let taker = thread::spawn(move || {
                let take = || seen.store(theirs.load(Ordering::SeqCst), Ordering::SeqCst);
                while park_or_stop().is_ok() {
                    take();
                }
                // What the stopped call did not take is there for a plain one.
                while seen.load(Ordering::SeqCst) == 0 {
                    std::thread::park();
                    take();
                }
            });
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let stopper = taker.stopper();
            let (mine, until) = (random >> 54, (random >> 44) & 0x3FF);
            let requester = std::thread::spawn(move || {
                for _ in 0..until {
                    std::hint::spin_loop();
                }
                stopper.request_stop();
            });
            for _ in 0..mine {
                std::hint::spin_loop();
            }
            given.store(1, Ordering::SeqCst);
            taker.thread().unpark();
            requester.join().unwrap();
            taker.join().unwrap();
            assert_eq!(taken.swap(0, Ordering::SeqCst), 1);
            given.store(0, Ordering::SeqCst);
        }
    }
}
