//! `Barrier`: all threads have met in a round, or none has; and one that is stopped
//! leaves no other waiting.

use crate::{Waiter, seconds, stop_some_while};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use stop_tests::dice::Dice;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::sync::Barrier;

const THREADS: u32 = 8;

/// How often it has met the others, and how often it led, until it is stopped
/// or another one was.
fn meet(barrier: &Barrier, inside: &AtomicU32) -> (u32, u32) {
    let (mut met, mut led) = (0, 0);
    while let Ok(result) = barrier.wait_or_stop() {
        if result.is_broken() {
            assert!(!result.is_leader());
            break;
        }
        // No thread is a round ahead, as all of them come between any two.
        let arrived = inside.fetch_add(1, Ordering::SeqCst) / THREADS;
        assert_eq!(arrived, met, "a round ended before all had come");
        met += 1;
        led += u32::from(result.is_leader());
    }
    (met, led)
}

on_backends! { FUTEXES;
    fn barriers_under_random_stops() {
        let mut dice = Dice::new();
        let (mut barriers, mut rounds, mut stops) = (0_u32, 0_u32, 0_usize);
        let until = Instant::now() + seconds();
        loop {
            let barrier = Arc::new(Barrier::new(THREADS as usize));
            let inside = Arc::new(AtomicU32::new(0));
            let start = |_| {
                let (barrier, inside) = (Arc::clone(&barrier), Arc::clone(&inside));
                Waiter::start(move || meet(&barrier, &inside))
            };
            let waiters: Vec<_> = (1..THREADS).map(start).collect();
            // At least one stop, or they would meet for ever.
            let last = std::cell::RefCell::new(None);
            let let_go = || {
                let waiter = start(0);
                waiter.handle.request_stop();
                last.replace(Some(waiter));
            };
            let mut outcomes = stop_some_while(&mut dice, waiters, let_go);
            let last = last.take().unwrap();
            outcomes.push((last.handle.join().unwrap(), true));
            let met = outcomes[0].0.0;
            assert!(outcomes.iter().all(|((theirs, _), _)| *theirs == met), "{outcomes:?}");
            let led: u32 = outcomes.iter().map(|((_, led), _)| led).sum();
            assert_eq!(led, met, "one leads each round");
            assert!(barrier.wait().is_broken());
            barriers += 1;
            rounds += met;
            stops += outcomes.iter().filter(|(_, requested)| *requested).count();
            // One at least, however late it is.
            if Instant::now() >= until {
                break;
            }
        }
        println!("{barriers} barriers, {rounds} rounds, {stops} stops");
    }
}
