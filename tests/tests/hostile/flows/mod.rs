//! Marked calls of several kinds with something flowing through them, and one
//! bout with each: a thread makes the call again and again, is given things to
//! take, and is stopped at a random instant. What it took and what is left is
//! what was given.

mod streams;
mod waits;

use std::io::ErrorKind;
use std::sync::mpsc;
use stop_tests::dice::Dice;
use stop_tests::proc::{limit, wait_for};
use stop_tests::{blocked_in, thread_id};
use stopruntime::{Stopped, thread};

/// Nanoseconds: longer than a thread takes to start and to block.
const SPREAD: u64 = 200_000;

/// One thread's marked calls, and what flows through them.
pub(crate) struct Flow {
    /// Makes the call until it is stopped; the number of things it took.
    take: Box<dyn FnOnce() -> u64 + Send>,
    /// Gives it one more.
    give: Box<dyn FnMut()>,
    /// How many it can be given.
    most: u64,
    /// How many have not been taken.
    left: Box<dyn FnOnce() -> u64>,
    /// It sleeps when there is nothing to take.
    rests: bool,
}

pub(crate) type Kind = (&'static str, fn() -> Flow);

pub(crate) const KINDS: [Kind; 11] = [
    ("read", streams::read),
    ("read of a terminal", streams::terminal),
    ("write", streams::write),
    ("recv", streams::recv),
    ("recv_from", streams::recv_from),
    ("accept", streams::accept),
    ("poll", streams::poll),
    ("sleep", waits::sleep),
    ("Mutex::lock", waits::lock),
    ("Condvar::wait", waits::condvar),
    ("Child::wait", waits::child),
];

/// The number of things a call has taken until it was stopped; a signal of
/// a foreign one may interrupt it, as it may the plain call.
fn until_stopped(mut call: impl FnMut() -> Result<std::io::Result<u64>, Stopped>) -> u64 {
    let mut taken = 0;
    while let Ok(result) = call() {
        match result {
            Ok(count) => taken += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}"),
        }
    }
    taken
}

/// One bout. `weather` is what the thread is exposed to, by its id, until the
/// value is dropped.
pub(crate) fn bout<W>(kind: &Kind, dice: &mut Dice, weather: impl FnOnce(i32) -> W) {
    let (name, start) = kind;
    let Flow { take, mut give, most, left, rests } = start();
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        take()
    });
    let thread = receiver.recv().unwrap();
    let weather = weather(thread);
    let given = dice.below(most + 1);
    for _ in 0..given {
        dice.spin(SPREAD);
        give();
    }
    if rests && dice.chance(2) {
        wait_for("a sleep", || blocked_in(thread).is_some());
    }
    dice.spin(SPREAD);
    assert!(handle.request_stop());
    let Ok(ended) = handle.join_timeout(limit()) else { panic!("{name}: request lost") };
    drop(weather);
    let taken = ended.expect("no panic in the thread");
    assert_eq!(taken.wrapping_add(left()), given, "{name}: taken {taken}");
}

/// So many bouts with each kind.
pub(crate) fn bouts<W>(count: u64, dice: &mut Dice, mut weather: impl FnMut(i32) -> W) {
    for kind in &KINDS {
        for _ in 0..count {
            bout(kind, dice, &mut weather);
        }
    }
}
