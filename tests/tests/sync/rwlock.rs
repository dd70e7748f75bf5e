//! `RwLock`.

use super::{Waiter, churn, seconds, stop_some_while, stopped_while_it_waits};
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, TryLockError};
use std::time::Instant;
use stop_tests::dice::Dice;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::sync::{RwLock, RwLockWriteGuard};
use stopruntime::{Stopped, stoppable, thread};

const WRITER: u32 = 1 << 16;

/// A lock that looks whether it does its work.
#[derive(Default)]
struct Watched {
    lock: RwLock<[u64; 2]>,
    /// One for each reader, [`WRITER`] for each writer.
    inside: AtomicU32,
}

impl Watched {
    /// Both numbers are equal whenever a reader looks, and only one writer
    /// comes in to make them so.
    fn visit(&self, writes: bool) -> Result<(), Stopped> {
        if writes {
            let mut numbers = self.lock.write_or_stop()?.unwrap();
            assert_eq!(self.inside.fetch_add(WRITER, Ordering::SeqCst), 0);
            numbers[0] += 1;
            std::thread::yield_now();
            numbers[1] += 1;
            self.inside.fetch_sub(WRITER, Ordering::SeqCst);
        } else {
            let numbers = self.lock.read_or_stop()?.unwrap();
            assert!(self.inside.fetch_add(1, Ordering::SeqCst) < WRITER);
            std::thread::yield_now();
            assert_eq!(numbers[0], numbers[1]);
            self.inside.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

on_backends! { FUTEXES;
    fn waiters_are_stopped_and_the_lock_is_the_holders() {
        let lock = Arc::new(RwLock::new(1));
        let theirs = Arc::clone(&lock);
        let reader = lock.read().unwrap();
        assert!(stopped_while_it_waits(move || theirs.write_or_stop().is_err()));
        assert_eq!(*lock.try_read().unwrap() + *reader, 2, "nothing keeps a reader out");
        drop(reader);
        let mut writer = lock.write().unwrap();
        *writer = 2;
        for writes in [false, true] {
            let theirs = Arc::clone(&lock);
            assert!(stopped_while_it_waits(move || {
                if writes { theirs.write_or_stop().is_err() } else { theirs.read_or_stop().is_err() }
            }));
        }
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        drop(writer);
        assert_eq!(*lock.try_write().unwrap(), 2);
    }

    /// Readers that wait for a writer that waits get the lock when the writer is
    /// stopped, although no thread lets go of it.
    fn a_stopped_writer_lets_the_readers_in() {
        let lock = Arc::new(RwLock::new(()));
        let held = lock.read().unwrap();
        let theirs = Arc::clone(&lock);
        let writer = Waiter::start(move || theirs.write_or_stop().is_err());
        writer.settle();
        let readers: Vec<_> = (0..3).map(|_| {
            let theirs = Arc::clone(&lock);
            Waiter::start(move || theirs.read().is_ok())
        }).collect();
        readers.iter().for_each(Waiter::settle);
        assert!(readers.iter().all(|reader| !reader.handle.is_finished()), "writers go first");
        assert!(writer.handle.stop_and_join().unwrap());
        for reader in readers {
            assert!(reader.handle.join().unwrap());
        }
        drop(held);
    }

    fn a_writer_that_goes_on_reading_lets_the_readers_in() {
        let lock = Arc::new(RwLock::new(1));
        let mut writer = lock.write().unwrap();
        let theirs = Arc::clone(&lock);
        let reader = Waiter::start(move || *theirs.read().unwrap());
        reader.settle();
        *writer = 2;
        let held = RwLockWriteGuard::downgrade(writer);
        assert_eq!(reader.handle.join().unwrap(), 2);
        assert!(lock.try_write().is_err());
        drop(held);
        assert!(lock.try_write().is_ok());
    }

    fn a_panic_of_a_writer_poisons_the_lock_as_std_does() {
        let lock = Arc::new(RwLock::new(1));
        for writes in [false, true] {
            let theirs = Arc::clone(&lock);
            let died = thread::spawn(move || {
                let _guards = if writes {
                    (None, theirs.write().ok())
                } else {
                    (theirs.read().ok(), None)
                };
                panic!("on purpose");
            });
            assert!(died.join().is_err());
            assert_eq!(lock.is_poisoned(), writes);
        }
        assert!(lock.read().is_err() && lock.read_or_stop().unwrap().is_err());
        assert!(lock.write().is_err() && lock.write_or_stop().unwrap().is_err());
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        lock.clear_poison();
        assert!(lock.read().is_ok() && lock.write().is_ok());
        assert_eq!(Arc::into_inner(lock).unwrap().into_inner().unwrap(), 1);
    }

    fn marked_locks_are_stopped() {
        #[stoppable]
        fn look(lock: &RwLock<u64>) -> Result<u64, Stopped> {
            #[blocking]
            let number = lock.read().unwrap();
            Ok(*number)
        }
        #[stoppable(break)]
        fn count(lock: &RwLock<u64>) -> u64 {
            let mut counted = 0;
            while counted < 2 {
                #[blocking]
                let mut number = lock.write().unwrap();
                *number += 1;
                counted += 1;
            }
            counted
        }
        let lock = Arc::new(RwLock::new(0));
        assert_eq!(count(&lock), 2);
        assert_eq!(look(&lock), Ok(2));
        let held = lock.write().unwrap();
        let theirs = Arc::clone(&lock);
        assert!(stopped_while_it_waits(move || look(&theirs).is_err()));
        let theirs = Arc::clone(&lock);
        assert_eq!(stopped_while_it_waits(move || count(&theirs)), 0);
        drop(held);
        assert_eq!(look(&lock), Ok(2));
    }

    /// No two writers, no reader with a writer; every change that was made is
    /// there.
    fn rwlock_under_random_stops() {
        let watched = Arc::new(Watched::default());
        let theirs = Arc::clone(&watched);
        let mut made = 0;
        let stops = churn(8, move |at| {
            let writes = at % 4 == 0;
            let mut mine = 0;
            while theirs.visit(writes).is_ok() {
                mine += u64::from(writes);
            }
            mine
        }, |mine| made += mine);
        assert_eq!(*watched.lock.try_write().unwrap(), [made; 2]);
        println!("{made} changes, {stops} stops");
    }

    /// A thread that waits and is not stopped gets the lock, whichever was woken in its place
    /// and stopped at that moment.
    fn no_thread_is_left_asleep_beside_a_free_lock() {
        let mut dice = Dice::new();
        let (mut rounds, mut stopped) = (0_u32, 0_u32);
        let end = Instant::now() + seconds();
        while Instant::now() < end {
            let watched = Arc::new(Watched::default());
            let (reader, writer) = if dice.chance(2) {
                (watched.lock.read().ok(), None)
            } else {
                (None, watched.lock.write().ok())
            };
            let waiters = (0..6).map(|_| {
                let (theirs, writes) = (Arc::clone(&watched), dice.chance(2));
                Waiter::start(move || theirs.visit(writes).map(|()| u64::from(writes)))
            }).collect();
            let mut made = 0;
            for (outcome, requested) in stop_some_while(&mut dice, waiters, || drop((reader, writer))) {
                assert!(outcome.is_ok() || requested);
                made += outcome.unwrap_or(0);
                stopped += u32::from(outcome.is_err());
            }
            assert_eq!(*watched.lock.try_write().unwrap(), [made; 2]);
            rounds += 1;
        }
        println!("{rounds} rounds, {stopped} stops");
    }
}
