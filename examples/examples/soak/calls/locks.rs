//! Futexes by way of `sync`: every increment is made once, and what is put in
//! is taken out by the threads that are not stopped.

use super::Call;
use crate::bout::Bout;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use stopruntime::Stopped;
use stopruntime::sync::{Condvar, Mutex, Semaphore, mpsc};

pub(super) const CALLS: &[Call] = &[
    Call::new("Mutex::lock", |bout| {
        mutex(bout);
        Ok(())
    }),
    Call::new("Condvar::wait", |bout| {
        pool(bout, Queue::default());
        Ok(())
    }),
    Call::new("Semaphore::acquire", |bout| {
        pool(bout, Semaphore::new(0));
        Ok(())
    }),
    Call::new("mpsc::recv", |bout| {
        let (sender, receiver) = mpsc::channel();
        pool(bout, Channel { sender, receiver });
        Ok(())
    }),
];

fn mutex(bout: &mut Bout) {
    let count = Arc::new(Mutex::new(0_u64));
    let made = Arc::new(AtomicU64::new(0));
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..5) {
            let (count, made) = (Arc::clone(&count), Arc::clone(&made));
            targets.push(bout.start(move |aside| {
                while let Ok(lock) = count.lock_or_stop() {
                    let mut count = lock.unwrap_or_else(PoisonError::into_inner);
                    // Two that are in here at once would show.
                    let before = *count;
                    aside.look();
                    *count = before + 1;
                    drop(count);
                    made.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }));
        }
        if bout.random.bool() {
            // Now and then they all wait.
            let _held = count.lock();
            bout.pause();
            bout.stop_all(targets);
        } else {
            bout.stop_all(targets);
        }
        if bout.gave_up() {
            return;
        }
        bout.balance("locks that no thread holds", 0, u64::from(count.try_lock().is_err()));
    }
    let made = made.load(Ordering::Relaxed);
    bout.tally.effects += made;
    let count = *count.lock().unwrap_or_else(PoisonError::into_inner);
    bout.balance("increments", made, count);
}

/// Something that threads wait for and take one of.
trait Pool: Send + Sync + 'static {
    fn put(&self);
    fn take_or_stop(&self) -> Result<(), Stopped>;
    /// One that is there, without waiting.
    fn take_rest(&self) -> bool;
}

impl Pool for Semaphore {
    fn put(&self) {
        self.release();
    }

    fn take_or_stop(&self) -> Result<(), Stopped> {
        self.acquire_or_stop().map(stopruntime::sync::SemaphoreGuard::forget)
    }

    fn take_rest(&self) -> bool {
        self.try_acquire().map(stopruntime::sync::SemaphoreGuard::forget).is_some()
    }
}

struct Channel {
    sender: mpsc::Sender<u64>,
    receiver: mpsc::Receiver<u64>,
}

impl Pool for Channel {
    fn put(&self) {
        self.sender.send(1).expect("the receiver is alive");
    }

    fn take_or_stop(&self) -> Result<(), Stopped> {
        let message = self.receiver.recv_or_stop()?;
        assert_eq!(message, Ok(1), "the sender is alive");
        Ok(())
    }

    fn take_rest(&self) -> bool {
        self.receiver.try_recv().is_ok()
    }
}

/// The textbook's use of a condition variable.
#[derive(Default)]
struct Queue {
    there: Mutex<u64>,
    more: Condvar,
}

impl Pool for Queue {
    fn put(&self) {
        *self.there.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.more.notify_one();
    }

    fn take_or_stop(&self) -> Result<(), Stopped> {
        let there = self.there.lock_or_stop()?.unwrap_or_else(PoisonError::into_inner);
        let there = self.more.wait_while_or_stop(there, |there| *there == 0)?;
        *there.unwrap_or_else(PoisonError::into_inner) -= 1;
        Ok(())
    }

    fn take_rest(&self) -> bool {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let any = *there > 0;
        *there -= u64::from(any);
        any
    }
}

/// While one of them is stopped, the others get everything that is put in: a
/// wake-up that the stopped one had eaten would leave something behind.
fn pool(bout: &mut Bout, pool: impl Pool) {
    let pool = Arc::new(pool);
    let taken = Arc::new(AtomicU64::new(0));
    let mut put = 0;
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(2..5) {
            let (pool, taken) = (Arc::clone(&pool), Arc::clone(&taken));
            targets.push(bout.start(move |aside| {
                while let Ok(()) = pool.take_or_stop() {
                    taken.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                }
                Ok(())
            }));
        }
        let count = bout.random.u64(0..4);
        let stopped_after = bout.random.u64(0..=count);
        for number in 0..=count {
            bout.pause();
            if number == stopped_after {
                bout.request(&mut targets[0]);
            }
            if number < count {
                pool.put();
                put += 1;
            }
        }
        if !bout.wait_until("taking what is there", || taken.load(Ordering::Relaxed) == put) {
            return;
        }
        bout.stop_all(targets);
    }
    if bout.gave_up() {
        return;
    }
    let mut left = 0;
    while pool.take_rest() {
        left += 1;
    }
    bout.tally.effects += put;
    bout.balance("things taken", put, taken.load(Ordering::Relaxed) + left);
}
