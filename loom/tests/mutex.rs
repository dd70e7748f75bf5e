//! The mutex: one holder at a time, who sees what the one before it did; and a
//! waiter that is stopped leaves the wake-up to the others.

use std::sync::Arc;
use stop_loom::sync::Mutex;
use stop_loom::{Data, Seen, model, model_bounded, thread};

#[test]
fn holders_exclude_each_other() {
    model(|| {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let workers = [(); 2].map(|()| {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || mutex.lock().unwrap().increase())
        });
        let _ends = workers.map(thread::JoinHandle::join);
        assert_eq!(mutex.lock().unwrap().get(), 2);
    });
}

/// One of them may be woken and stopped before it has the lock.
#[test]
fn a_stopped_waiter_leaves_the_lock_to_the_next() {
    let (stopped, taken) = (Seen::default(), Seen::default());
    let (seen_stopped, seen_taken) = (stopped.clone(), taken.clone());
    model_bounded(3, move || {
        let mutex = Arc::new(Mutex::new(Data::new(0)));
        let held = mutex.lock().unwrap();
        let waiters = [(); 2].map(|()| {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || match mutex.lock_or_stop() {
                Ok(data) => {
                    data.unwrap().increase();
                    1
                }
                Err(_stopped) => 0,
            })
        });
        waiters[0].request_stop();
        drop(held);
        let [first, second] = waiters.map(thread::JoinHandle::join);
        assert_eq!(second, 1, "nobody stopped it");
        assert_eq!(mutex.lock().unwrap().get(), first + second);
        if first == 0 { seen_stopped.note() } else { seen_taken.note() }
    });
    assert!(stopped.times() > 0 && taken.times() > 0);
}
