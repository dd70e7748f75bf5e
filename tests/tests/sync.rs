//! The primitives of `stopruntime::sync` under requests: nothing that a stopped
//! waiter did not act upon is lost. `STOP_TESTS_SECONDS` says how long each
//! stress runs (1 by default).

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::sync::{Barrier, Condvar, Mutex, Semaphore, mpsc};
use stopruntime::{Stopped, Stopper, stoppable, thread};

const FUTEX: [i64; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];

fn seconds() -> Duration {
    let text = std::env::var("STOP_TESTS_SECONDS").unwrap_or_default();
    Duration::from_secs(text.parse().unwrap_or(1))
}

/// Threads that are stopped at random and started anew, until the time is over;
/// how often one was stopped.
fn churn<T: Send + 'static>(
    workers: usize,
    work: impl Fn(usize) -> T + Send + Clone + 'static,
    mut done: impl FnMut(T),
) -> u64 {
    let start = |at| {
        let work = work.clone();
        thread::spawn(move || work(at))
    };
    let mut running: Vec<_> = (0..workers).map(start).collect();
    let end = Instant::now() + seconds();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut stops = 0;
    while Instant::now() < end {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = usize::try_from(random % workers as u64).unwrap();
        for _ in 0..random >> 52 {
            std::hint::spin_loop();
        }
        let stopped = std::mem::replace(&mut running[at], start(at));
        done(stopped.stop_and_join().unwrap());
        stops += 1;
    }
    for worker in running {
        done(worker.stop_and_join().unwrap());
    }
    stops
}

/// Runs in a thread until it sleeps in a futex, then requests its stop.
fn stopped_while_it_waits<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        wait()
    });
    wait_until_blocked_in(receiver.recv().unwrap(), &FUTEX);
    waiter.stop_and_join().unwrap()
}

per_backend! {
    fn a_waiter_for_a_mutex_is_stopped_and_the_lock_is_the_holders() {
        let mutex = Arc::new(Mutex::new(1));
        let guard = mutex.lock().unwrap();
        let theirs = Arc::clone(&mutex);
        assert!(stopped_while_it_waits(move || theirs.lock_or_stop().is_err()));
        drop(guard);
        assert_eq!(*mutex.try_lock().unwrap(), 1);
    }

    fn a_panic_poisons_the_mutex_as_std_does() {
        let mutex = Arc::new(Mutex::new(1));
        let theirs = Arc::clone(&mutex);
        let died = thread::spawn(move || {
            let _guard = theirs.lock().unwrap();
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert!(mutex.is_poisoned() && mutex.lock().is_err());
        assert!(mutex.lock_or_stop().unwrap().is_err());
        mutex.clear_poison();
        assert!(mutex.lock().is_ok());
    }

    fn a_waiter_on_a_condvar_is_stopped_without_the_mutex() {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let theirs = Arc::clone(&pair);
        let held = Arc::new(AtomicBool::new(false));
        let outcome = stopped_while_it_waits(move || {
            let guard = theirs.0.lock().unwrap();
            theirs.1.wait_or_stop(guard).is_err()
        });
        assert!(outcome);
        assert!(pair.0.try_lock().is_ok(), "the lock is free");
        held.store(true, Ordering::Relaxed);
    }

    fn a_semaphore_a_barrier_and_both_ends_of_channels_are_stopped_while_they_wait() {
        let semaphore = Arc::new(Semaphore::new(0));
        let theirs = Arc::clone(&semaphore);
        assert!(stopped_while_it_waits(move || theirs.acquire_or_stop().is_err()));
        semaphore.release();
        assert_eq!(semaphore.available(), 1);

        let (sender, receiver) = mpsc::channel::<u8>();
        let theirs = receiver.clone();
        assert!(stopped_while_it_waits(move || theirs.recv_or_stop().is_err()));
        sender.send(1).unwrap();
        assert_eq!(receiver.recv(), Ok(1));

        for bound in [0, 1] {
            let (sender, receiver) = mpsc::sync_channel::<u8>(bound);
            if bound == 1 {
                sender.send(1).unwrap();
            }
            let theirs = sender.clone();
            assert!(stopped_while_it_waits(move || theirs.send_or_stop(2).is_err()));
            let left: Vec<u8> = receiver.try_iter().collect();
            assert_eq!(left, vec![1; bound], "bound {bound}: the stopped send sent nothing");
        }

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

    fn a_marked_loop_over_a_receiver_is_stopped_and_takes_what_is_there_first() {
        #[stoppable]
        fn sum(numbers: mpsc::Receiver<u64>) -> u64 {
            let mut sum = 0;
            #[blocking]
            for number in numbers {
                sum += number;
            }
            sum
        }
        #[stoppable]
        fn first(numbers: &mpsc::Receiver<u64>) -> Result<u64, Stopped> {
            #[blocking]
            let number = numbers.recv().unwrap_or(0);
            Ok(number)
        }
        let (sender, receiver) = mpsc::channel();
        let theirs = receiver.clone();
        assert_eq!(stopped_while_it_waits(move || sum(theirs)), 0);
        sender.send(4).unwrap();
        assert_eq!(first(&receiver), Ok(4));
        sender.send(3).unwrap();
        drop(sender);
        assert_eq!(sum(receiver), 3);
    }

    /// No two holders; every increment that was made is there.
    fn mutex_under_random_stops() {
        let mutex = Arc::new(Mutex::new(0_u64));
        let theirs = Arc::clone(&mutex);
        let mut made = 0;
        let stops = churn(8, move |_| {
            let mut mine = 0;
            while let Ok(guard) = theirs.lock_or_stop() {
                let mut guard = guard.unwrap();
                let before = *guard;
                std::thread::yield_now();
                *guard = before + 1;
                mine += 1;
            }
            mine
        }, |mine: u64| made += mine);
        assert_eq!(*mutex.lock().unwrap(), made);
        println!("{made} increments, {stops} stops");
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

    /// Messages in = messages out + messages left, each once, for each bound.
    fn channels_under_random_stops() {
        for bound in [None, Some(0), Some(1), Some(8)] {
            let (sent, stops) = channel_under_random_stops(bound);
            println!("bound {bound:?}: {sent} messages, {stops} stops");
        }
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

fn channel_under_random_stops(bound: Option<usize>) -> (u64, u64) {
    enum Tx {
        Free(mpsc::Sender<u64>),
        Bounded(mpsc::SyncSender<u64>),
    }
    let (tx, rx) = match bound {
        None => {
            let (tx, rx) = mpsc::channel();
            (Tx::Free(tx), rx)
        }
        Some(bound) => {
            let (tx, rx) = mpsc::sync_channel(bound);
            (Tx::Bounded(tx), rx)
        }
    };
    let tx = Arc::new(tx);
    let theirs = rx.clone();
    let (mut sent, mut received) = ((0_u64, 0_u64), (0_u64, 0_u64));
    let stops = churn(
        8,
        move |at| {
            let (mut count, mut sum) = (0_u64, 0_u64);
            if at % 2 == 0 {
                loop {
                    let message = count * 8 + at as u64;
                    let outcome = match &*tx {
                        Tx::Free(tx) => tx.send_or_stop(message),
                        Tx::Bounded(tx) => tx.send_or_stop(message),
                    };
                    match outcome {
                        Ok(result) => result.unwrap(),
                        Err(Stopped { .. }) => break,
                    }
                    count += 1;
                    sum += message;
                    std::thread::yield_now();
                }
            } else {
                while let Ok(message) = theirs.recv_or_stop() {
                    count += 1;
                    sum += message.unwrap();
                }
            }
            (at % 2 == 0, count, sum)
        },
        |(sender, count, sum)| {
            let total = if sender { &mut sent } else { &mut received };
            total.0 += count;
            total.1 += sum;
        },
    );
    for message in rx.try_iter() {
        received.0 += 1;
        received.1 += message;
    }
    assert_eq!(sent, received, "bound {bound:?}: count and sum");
    (sent.0, stops)
}
