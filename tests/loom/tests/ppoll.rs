//! The wait of the ppoll backend, `ppoll/inside.rs` itself: a request meets the thread as
//! it begins its wait, or as it leaves it.

use std::sync::Arc;
use stop_loom::scope::Stopped;
use stop_loom::thread::spawn;
use stop_loom::{Record, inside, inside_unordered, model};

type Inside = fn(&Record, &mut dyn FnMut()) -> Result<(), Stopped>;

const ORDERED: Inside = |record, wait| inside::inside(record, wait);
/// The same text with its fences taken out.
const UNORDERED: Inside = |record, wait| inside_unordered::inside(record, wait);

/// Race 1: the wait lasts until a signal comes. Whether it began; if it did, and the
/// requester did not see the marker, it would never end.
fn asleep(inside: Inside) -> Vec<bool> {
    model(move || {
        let record = Arc::new(Record::default());
        let theirs = Arc::clone(&record);
        let requester = spawn(move || theirs.request());
        let mut began = false;
        let _ = inside(&record, &mut || {
            began = true;
            record.sleep();
        });
        requester.join();
        assert!(!record.is_disturbed(), "a signal comes afterwards");
        began
    })
}

/// Race 2: the wait ends by itself, and what follows is to meet no signal.
fn leaving(inside: Inside) -> Vec<bool> {
    model(move || {
        let record = Arc::new(Record::default());
        let theirs = Arc::clone(&record);
        let requester = spawn(move || theirs.request());
        let began = inside(&record, &mut || ()).is_ok();
        requester.join();
        assert!(!record.is_disturbed(), "a signal comes afterwards");
        began
    })
}

#[test]
fn a_thread_that_falls_asleep_is_woken() {
    assert_eq!(asleep(ORDERED), [false, true]);
}

#[test]
#[should_panic(expected = "deadlock")]
fn not_without_the_fences() {
    asleep(UNORDERED);
}

#[test]
fn what_follows_meets_no_signal() {
    assert_eq!(leaving(ORDERED), [false, true]);
}

#[test]
#[should_panic(expected = "a signal comes afterwards")]
fn nor_that_without_the_fences() {
    leaving(UNORDERED);
}
