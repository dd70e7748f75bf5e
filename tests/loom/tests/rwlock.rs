//! The lock for readers and writers: no thread beside a writer, every thread sees what
//! the writer before did, and a thread that is stopped leaves the others a way in.

use std::sync::Arc;
use stop_loom::sync::{RwLock, RwLockWriteGuard};
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::{Data, model_bounded};

type Lock = Arc<RwLock<Data>>;

/// A thread that writes once if it is not stopped; how often it did.
fn writer(lock: &Lock) -> JoinHandle<usize> {
    let lock = Arc::clone(lock);
    spawn(move || {
        let data = lock.write_or_stop();
        data.map_or(0, |data| {
            data.unwrap().increase();
            1
        })
    })
}

/// A thread that reads once if it is not stopped; whether it did.
fn reader(lock: &Lock) -> JoinHandle<bool> {
    let lock = Arc::clone(lock);
    spawn(move || lock.read_or_stop().is_ok_and(|data| data.unwrap().get() < 9))
}

#[test]
fn a_writer_is_alone() {
    model_bounded(2, || {
        let lock = Lock::default();
        let (first, second) = (writer(&lock), reader(&lock));
        lock.write().unwrap().increase();
        first.join();
        assert!(second.join());
        assert_eq!(lock.try_read().unwrap().get(), 2);
    });
}

#[test]
fn three_writers_take_turns() {
    model_bounded(2, || {
        let lock = Lock::default();
        let writers = [(); 2].map(|()| writer(&lock));
        lock.write().unwrap().increase();
        let _written = writers.map(JoinHandle::join);
        assert_eq!(lock.try_read().unwrap().get(), 3);
    });
}

/// A thread that waits behind a writer that is stopped gets the lock from it, not from the
/// reader that holds it.
#[test]
fn a_stopped_writer_lets_the_readers_in() {
    let outcomes = model_bounded(3, || {
        let lock = Lock::default();
        let held = lock.read().unwrap();
        let (first, second) = (writer(&lock), reader(&lock));
        let no_writer_waits = lock.try_read().is_ok();
        assert_eq!(first.stop_and_join(), 0);
        assert!(second.join());
        drop(held);
        assert!(lock.try_write().is_ok());
        no_writer_waits
    });
    assert_eq!(outcomes, [false, true]);
}

/// The first may be woken, overtaken by this thread, and stopped while it waits
/// again.
#[test]
fn a_stopped_writer_leaves_the_lock_to_the_next() {
    let outcomes = model_bounded(2, || {
        let lock = Lock::default();
        let held = lock.write().unwrap();
        let (first, second) = (writer(&lock), writer(&lock));
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        drop(held);
        lock.write().unwrap().increase();
        let written = first.join();
        assert_eq!(second.join(), 1, "nothing stopped it");
        assert!(requester.join());
        assert_eq!(lock.try_write().unwrap().get(), written + 2);
        written
    });
    assert_eq!(outcomes, [0, 1]);
}

/// With readers and writers asleep, and a writer or a reader stopped. Holds with
/// two preemptions as well, in four hundred thousand runs.
#[test]
fn whoever_is_stopped_leaves_the_lock_to_both_kinds() {
    for stopped in [0, 1] {
        model_bounded(1, move || {
            let lock = Lock::default();
            let held = lock.write().unwrap();
            let (first, second, third) = (writer(&lock), reader(&lock), writer(&lock));
            let stopper = [first.stopper(), second.stopper()][stopped].clone();
            stopper.request_stop();
            drop(held);
            assert_eq!(third.join(), 1, "nothing stopped it");
            assert!(second.join() || stopped == 1);
            assert!(first.join() == 1 || stopped == 0);
            assert!(lock.try_write().is_ok());
        });
    }
}

/// From writing to reading without a moment in between, and the others get in.
#[test]
fn a_writer_goes_on_reading() {
    model_bounded(2, || {
        let lock = Lock::default();
        let mut held = lock.write().unwrap();
        let (first, second) = (writer(&lock), reader(&lock));
        held.increase();
        let held = RwLockWriteGuard::downgrade(held);
        assert_eq!(held.get(), 1, "no writer came between");
        drop(held);
        assert_eq!(first.join(), 1);
        assert!(second.join());
    });
}

/// With readers alone no thread has to let go for the others to get in.
#[test]
fn a_writer_that_goes_on_reading_lets_the_readers_in() {
    model_bounded(3, || {
        let lock = Lock::default();
        let held = lock.write().unwrap();
        let readers = [(); 2].map(|()| reader(&lock));
        let held = RwLockWriteGuard::downgrade(held);
        assert_eq!(readers.map(JoinHandle::join), [true; 2]);
        drop(held);
    });
}
