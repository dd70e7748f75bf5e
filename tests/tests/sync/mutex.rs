//! `Mutex`.

use super::{churn, stopped_while_it_waits};
use std::sync::Arc;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::sync::Mutex;
use stopruntime::thread;

on_backends! { FUTEXES;
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
}
