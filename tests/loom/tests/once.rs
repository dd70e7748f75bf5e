//! What happens once: by one thread, seen by all; and if that thread fails, or
//! one that waits is stopped, another one does it.

use std::sync::Arc;
use stop_loom::sync::{Once, OnceLock};
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::{Data, model, model_bounded};

type Cell = Arc<OnceLock<Data>>;

/// A thread that makes this value if none is there; the value that is.
fn maker(cell: &Cell, value: usize) -> JoinHandle<Option<usize>> {
    let cell = Arc::clone(cell);
    spawn(move || cell.get_or_init_or_stop(|| Data::new(value)).ok().map(Data::get))
}

#[test]
fn all_threads_see_the_one_value() {
    model(|| {
        let cell = Cell::default();
        let makers = [1, 2].map(|value| maker(&cell, value));
        let seen = cell.get().map(Data::get);
        let [first, second] = makers.map(JoinHandle::join);
        assert_eq!(first, second);
        assert!(seen.is_none() || seen == first);
    });
}

#[test]
fn the_next_in_line_takes_over() {
    let outcomes = model_bounded(2, || {
        let cell = Cell::default();
        let theirs = Arc::clone(&cell);
        let fails = spawn(move || theirs.get_or_try_init(|| Err::<Data, ()>(())).is_ok());
        let makers = [1, 2].map(|value| maker(&cell, value));
        let [first, second] = makers.map(JoinHandle::join);
        assert!(first.is_some() && first == second);
        fails.join()
    });
    assert_eq!(outcomes, [false, true]);
}

/// The first may be at it, wait for the second or have been stopped.
#[test]
fn a_stopped_waiter_leaves_it_to_the_next() {
    let outcomes = model_bounded(2, || {
        let cell = Cell::default();
        let (first, second) = (maker(&cell, 1), maker(&cell, 2));
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        let seen = cell.wait().get();
        assert!(requester.join());
        assert_eq!(second.join(), Some(seen), "nothing stopped it");
        (first.join(), seen)
    });
    assert_eq!(outcomes, [(None, 2), (Some(1), 1), (Some(2), 2)]);
}

/// A waiter announces itself also before any thread initialises.
#[test]
fn a_mere_waiter_is_woken() {
    model_bounded(3, || {
        let once = Arc::new(Once::new());
        let waiters = [(); 2].map(|()| {
            let once = Arc::clone(&once);
            spawn(move || once.wait_or_stop().is_ok())
        });
        once.call_once(|| ());
        assert_eq!(waiters.map(JoinHandle::join), [true; 2]);
    });
}
