//! The models below the primitives: that they let happen what the machine may
//! do, and nothing that it may not.

#![allow(unsafe_code)]

use std::sync::Arc;
use stop_loom::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use stop_loom::atomic::{AtomicU32, Ordering, compiler_fence};
use stop_loom::cell::UnsafeCell;
use stop_loom::model;
use stop_loom::signal::barrier_for_all;
use stop_loom::thread::spawn;

type Words = Arc<[AtomicU32; 2]>;

/// Each of two threads stores to a word of its own and then looks at the
/// other's. What they saw.
fn store_and_look(
    first: impl Fn(&AtomicU32, &AtomicU32) -> u32 + Copy + Send + Sync + 'static,
    second: impl Fn(&AtomicU32, &AtomicU32) -> u32 + Copy + Send + Sync + 'static,
) -> Vec<(u32, u32)> {
    model(move || {
        let words = Words::default();
        let theirs = Arc::clone(&words);
        let other = spawn(move || second(&theirs[1], &theirs[0]));
        (first(&words[0], &words[1]), other.join())
    })
}

fn in_order(
    store: Ordering,
    load: Ordering,
) -> impl Fn(&AtomicU32, &AtomicU32) -> u32 + Copy + Send + Sync {
    move |own, other| {
        own.store(1, store);
        other.load(load)
    }
}

#[test]
fn a_load_overtakes_a_store() {
    let relaxed = in_order(Release, Acquire);
    assert_eq!(store_and_look(relaxed, relaxed), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    // Behind a store that is not, a load does.
    let half = in_order(Release, SeqCst);
    assert!(store_and_look(half, half).contains(&(0, 0)));
}

#[test]
fn among_seq_cst_none_overtakes() {
    let ordered = in_order(SeqCst, SeqCst);
    assert_eq!(store_and_look(ordered, ordered), [(0, 1), (1, 0), (1, 1)]);
}

#[test]
fn a_barrier_for_all_serves_both() {
    let light = |own: &AtomicU32, other: &AtomicU32| {
        own.store(1, Relaxed);
        compiler_fence(SeqCst);
        other.load(Relaxed)
    };
    let heavy = |own: &AtomicU32, other: &AtomicU32| {
        own.store(1, Relaxed);
        assert!(barrier_for_all());
        other.load(Relaxed)
    };
    assert_eq!(store_and_look(light, heavy), [(0, 1), (1, 0), (1, 1)]);
    assert!(store_and_look(light, light).contains(&(0, 0)));
}

/// What a thread wrote before it stored is there for a thread that has seen the store, if
/// both say so.
fn hands_over(store: Ordering, load: Ordering) {
    model(move || {
        let word = AtomicU32::default();
        let cell = Arc::new(Handed(UnsafeCell::new(0)));
        let (their_word, theirs) = (word.clone(), Arc::clone(&cell));
        let other = spawn(move || {
            let _written = theirs.0.get();
            their_word.store(1, store);
        });
        if word.load(load) == 1 {
            let _read = cell.0.get();
        }
        other.join();
    });
}

struct Handed(UnsafeCell<u32>);

// SAFETY: nothing follows the pointer.
unsafe impl Sync for Handed {}

#[test]
fn data_is_handed_over_by_release_and_acquire() {
    hands_over(Release, Acquire);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn not_without_release() {
    hands_over(Relaxed, Acquire);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn not_without_acquire() {
    hands_over(Release, Relaxed);
}
