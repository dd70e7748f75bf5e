//! What happens once: by one thread, seen by all; and if that thread fails, or
//! one that waits is stopped, another one does it.

use std::sync::Arc;
use stop_loom::sync::{Once, OnceLock};
use stop_loom::{Data, Seen, model, model_bounded, thread};

type Cell = Arc<OnceLock<Data>>;

/// A thread that makes this value if none is there; the value that is.
fn maker(cell: &Cell, value: usize) -> thread::JoinHandle<Option<usize>> {
    let cell = Arc::clone(cell);
    thread::spawn(move || cell.get_or_init_or_stop(|| Data::new(value)).ok().map(Data::get))
}

#[test]
fn everybody_sees_the_one_value() {
    model(|| {
        let cell = Cell::default();
        let makers = [1, 2].map(|value| maker(&cell, value));
        let seen = cell.get().map(Data::get);
        let [first, second] = makers.map(thread::JoinHandle::join);
        assert_eq!(first, second);
        assert!(seen.is_none() || seen == first);
    });
}

#[test]
fn the_next_in_line_takes_over() {
    let (made, found) = (Seen::default(), Seen::default());
    let (seen_made, seen_found) = (made.clone(), found.clone());
    model_bounded(2, move || {
        let cell = Cell::default();
        let theirs = Arc::clone(&cell);
        let fails = thread::spawn(move || theirs.get_or_try_init(|| Err::<Data, ()>(())).is_ok());
        let makers = [1, 2].map(|value| maker(&cell, value));
        let [first, second] = makers.map(thread::JoinHandle::join);
        assert!(first.is_some() && first == second);
        if fails.join() { seen_found.note() } else { seen_made.note() }
    });
    assert!(made.times() > 0 && found.times() > 0);
}

#[test]
fn a_stopped_waiter_leaves_it_to_the_next() {
    let stopped = Seen::default();
    let seen_stopped = stopped.clone();
    model_bounded(3, move || {
        let cell = Cell::default();
        let (first, second) = (maker(&cell, 1), maker(&cell, 2));
        first.request_stop();
        let theirs = Arc::clone(&cell);
        let waits = thread::spawn(move || theirs.wait().get());
        let second = second.join().expect("nobody stopped it");
        let first = first.join();
        assert_eq!(waits.join(), second);
        assert!(first.is_none_or(|first| first == second));
        seen_stopped.note_if(first.is_none());
    });
    assert!(stopped.times() > 0);
}

/// A waiter announces itself before anybody is at it, too.
#[test]
fn who_only_waits_is_woken() {
    model_bounded(3, || {
        let once = Arc::new(Once::new());
        let waiters = [(); 2].map(|()| {
            let once = Arc::clone(&once);
            thread::spawn(move || once.wait_or_stop().is_ok())
        });
        once.call_once(|| ());
        assert_eq!(waiters.map(thread::JoinHandle::join), [true; 2]);
    });
}
