//! What a thread wrote before a store is there for another one that has seen the store.

use super::says;
use std::sync::Arc;
use stop_loom::atomic::Ordering::{Acquire, Relaxed, Release};
use stop_loom::atomic::{AtomicU32, Ordering, fence};
use stop_loom::model;
use stop_loom::thread::spawn;

/// What comes before the word and is read after it, and the word itself.
type Words = Arc<[AtomicU32; 2]>;

/// Whether the one that sees the word can miss what came before it.
fn misses(
    tell: impl Fn(&AtomicU32) + Copy + Send + Sync + 'static,
    is_told: impl Fn(&AtomicU32) -> bool + Copy + Send + Sync + 'static,
) -> bool {
    let seen = model(move || {
        let words = Words::default();
        let theirs = Arc::clone(&words);
        let other = spawn(move || {
            theirs[0].store(1, Relaxed);
            tell(&theirs[1]);
        });
        let seen = is_told(&words[1]).then(|| words[0].load(Relaxed));
        other.join();
        seen
    });
    assert!(seen.contains(&None) && seen.contains(&Some(1)), "{seen:?}");
    seen.contains(&Some(0))
}

fn store_and_load(store: Ordering, load: Ordering) -> bool {
    misses(move |word| word.store(1, store), move |word| word.load(load) == 1)
}

/// Both orderings are there, and with either of them weakened it is missed.
fn by_store_and_load() {
    assert!(!store_and_load(Release, Acquire));
    assert!(store_and_load(Relaxed, Acquire), "the store need not be Release");
    assert!(store_and_load(Release, Relaxed), "the load need not be Acquire");
}

/// A requester that has read the range of an earlier scope looks at the place of a later
/// one: the cell there is made, and is in a chunk that is whole.
#[test]
fn a_cell_is_whole_when_its_place_is_written() {
    says(
        "runtime/scopes/publish.rs",
        "place.store(ptr::from_ref(cell).cast_mut(), Ordering::Release);",
    );
    says("runtime/scopes/seen.rs", "self.cells.place(number)?.load(Ordering::Acquire)");
    by_store_and_load();
}

/// Of the same scope, and of the ones above it.
#[test]
fn a_cell_has_its_parents_and_its_reason() {
    let cell = "runtime/scopes/cell.rs";
    says(cell, "place.store(parent, Ordering::Release);");
    says(cell, "first.load(Ordering::Acquire)");
    says(cell, "second.load(Ordering::Acquire)");
    says(cell, "self.reason.store(text.as_ptr().cast_mut(), Ordering::Release);");
    says(cell, "self.reason.load(Ordering::Acquire);");
    by_store_and_load();
}

/// The filter has the bits of what is in the range, and the range's places are written.
#[test]
fn a_range_has_its_places() {
    let publish = "runtime/scopes/publish.rs";
    says(publish, "self.visible.filter.store(filter, Ordering::Release);");
    says(publish, "self.visible.range.store(range + 1, Ordering::Release);");
    says("runtime/scopes/seen.rs", "self.visible.range.load(Ordering::Acquire)");
    says("runtime/scopes/seen.rs", "self.visible.filter.load(Ordering::Acquire)");
    by_store_and_load();
}

/// Further room for cells, and a chunk of the pool, is written before it is linked.
#[test]
fn room_is_whole_when_it_is_linked() {
    says("runtime/scopes/visible.rs", "further.store(Box::into_raw(room), Ordering::Release);");
    says("runtime/scopes/visible.rs", "further.load(Ordering::Acquire)");
    says("runtime/scopes/pool.rs", "self.hint.store(chunk, Ordering::Release);");
    says("runtime/scopes/pool.rs", "self.first.load(Ordering::Acquire)");
    by_store_and_load();
}

/// A thread that finds its scope requested finds the reason as well, and what the requester
/// did before.
#[test]
fn a_request_brings_what_came_before() {
    says("runtime/scopes/cell.rs", "self.state.load(Ordering::Acquire) & bits != 0");
    says("runtime/scopes/cell.rs", "self.state.fetch_or(bit, Ordering::SeqCst)");
    let request = |set, look| {
        misses(move |state| _ = state.fetch_or(1, set), move |state| state.load(look) == 1)
    };
    assert!(!request(Release, Acquire));
    assert!(request(Relaxed, Acquire));
    assert!(request(Release, Relaxed));
}

/// The thread of the callbacks, which sleeps while the count is what it has read: it has
/// not read it without the request that it tells of.
#[test]
fn a_count_brings_its_request() {
    says("runtime/scopes/notified.rs", "notified.fetch_add(1, Ordering::Release);");
    says("runtime/scopes/callbacks.rs", "notified.load(Ordering::Acquire);");
    let notify = |add, look| {
        misses(
            move |notified| _ = notified.fetch_add(1, add),
            move |notified| notified.load(look) == 1,
        )
    };
    assert!(!notify(Release, Acquire));
    assert!(notify(Relaxed, Acquire));
    assert!(notify(Release, Relaxed));
}

/// The bit of an item that is given back, and is taken by another thread.
#[test]
fn an_item_is_taken_as_it_was_left() {
    let pool = "runtime/scopes/pool.rs";
    says(pool, "chunk.free.fetch_or(1 << place, Ordering::Release);");
    says(pool, "let order = Ordering::Acquire;");
    let pooled = |give_back, take| {
        misses(
            move |free| _ = free.fetch_or(1, give_back),
            move |free| free.compare_exchange(1, 0, take, Relaxed).is_ok(),
        )
    };
    assert!(!pooled(Release, Acquire));
    assert!(pooled(Relaxed, Acquire));
    assert!(pooled(Release, Relaxed));
}

/// The last one that gives back its count of a scope sees what the others did with it.
#[test]
fn the_last_count_comes_after_all_others() {
    let release = "runtime/scopes/release.rs";
    says(release, "cell.count.fetch_sub(1, Ordering::Release) != 1");
    says(release, "fence(Ordering::Acquire);");
    let counted = |sub, fenced| {
        // Counted up, as it begins at 0 here.
        misses(
            move |count| _ = count.fetch_add(1, sub),
            move |count| {
                let last = count.fetch_add(1, sub) == 1;
                if fenced {
                    fence(Acquire);
                }
                last
            },
        )
    };
    assert!(!counted(Release, true));
    assert!(counted(Relaxed, true));
    assert!(counted(Release, false));
}
