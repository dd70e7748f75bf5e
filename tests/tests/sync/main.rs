//! The primitives of `stopruntime::sync` under requests: nothing that a stopped
//! waiter did not act upon is lost. `STOP_TESTS_SECONDS` says how long each
//! stress runs (1 by default).

mod channels;
mod condvar;
mod mutex;
mod once;
mod rwlock;
mod semaphore;
#[path = "../support_hazards/mod.rs"]
mod support_hazards;

use std::time::{Duration, Instant};
use stop_tests::{blocked_in, thread_id, wait_until_blocked_in};
use stopruntime::sync::mpsc;
use stopruntime::thread;
use support_hazards::dice::Dice;

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

/// A thread that is going to wait.
struct Waiter<T> {
    handle: thread::JoinHandle<T>,
    id: i32,
}

impl<T: Send + 'static> Waiter<T> {
    fn start(wait: impl FnOnce() -> T + Send + 'static) -> Waiter<T> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            wait()
        });
        Waiter { handle, id: receiver.recv().unwrap() }
    }

    /// Waits until it sleeps in a futex or has ended.
    fn settle(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.handle.is_finished()
            && blocked_in(self.id).is_none_or(|number| !FUTEX.contains(&number))
        {
            assert!(Instant::now() < deadline, "thread {} neither waits nor ends", self.id);
            std::thread::yield_now();
        }
    }
}

/// Lets waiters have what they wait for, and at the same time requests about
/// half of them to stop; what became of each, and whether it was requested.
/// Those that were not have to end all the same, or this hangs.
fn stop_some_while<T: Send + 'static>(
    dice: &mut Dice,
    waiters: Vec<Waiter<T>>,
    let_go: impl FnOnce(),
) -> Vec<(T, bool)> {
    waiters.iter().for_each(Waiter::settle);
    let chosen: Vec<bool> = waiters.iter().map(|_| dice.chance(2)).collect();
    let meet = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            meet.wait();
            for (waiter, _) in waiters.iter().zip(&chosen).filter(|(_, chosen)| **chosen) {
                waiter.handle.request_stop();
            }
        });
        meet.wait();
        dice.spin(60_000);
        let_go();
    });
    let outcomes = waiters.into_iter().map(|waiter| waiter.handle.join().unwrap());
    outcomes.zip(chosen).collect()
}
