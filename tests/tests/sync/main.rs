//! The primitives of `stopruntime::sync` under requests: nothing that a stopped
//! waiter did not act upon is lost. `STOP_TESTS_SECONDS` says how long each
//! stress runs (1 by default).

mod barrier;
mod channels;
mod condvar;
mod mutex;
mod once;
mod rwlock;
mod semaphore;

use std::time::{Duration, Instant};
use stop_tests::churn::{churn, seconds};
use stop_tests::dice::Dice;
use stop_tests::started::stopped_in;
use stop_tests::{blocked_in, thread_id};
use stopruntime::thread;

/// Guards may be taken for ones that live shorter, and readers' for ones of what
/// lives shorter, as std's may: this has to compile.
#[expect(dead_code)]
mod guards {
    use stopruntime::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard, SemaphoreGuard};

    fn mutex<'short, T>(guard: MutexGuard<'static, T>) -> MutexGuard<'short, T> {
        guard
    }

    fn writer<'short, T>(guard: RwLockWriteGuard<'static, T>) -> RwLockWriteGuard<'short, T> {
        guard
    }

    fn reader<'short>(
        guard: RwLockReadGuard<'static, &'static str>,
    ) -> RwLockReadGuard<'short, &'short str> {
        guard
    }

    fn semaphore<'short>(guard: SemaphoreGuard<'static>) -> SemaphoreGuard<'short> {
        guard
    }
}

const FUTEX: [libc::c_long; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];

/// Runs in a thread until it sleeps in a futex, then requests its stop.
fn stopped_while_it_waits<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    stopped_in(&FUTEX, wait)
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
