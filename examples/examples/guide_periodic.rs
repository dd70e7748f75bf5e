//! A task that runs every so often, and ends at once when it is stopped: it does not sleep
//! to the end of its period, and does not drift.
//!
//! `cargo run --example guide_periodic`

use std::sync::mpsc;
use std::time::{Duration, Instant};
use stopruntime::{stoppable, thread};

/// Runs `task` at the beginning of each period. A task that takes longer than a period
/// leaves out those that it has missed.
#[stoppable]
fn every(period: Duration, mut task: impl FnMut(u32)) {
    let mut next = Instant::now();
    let mut number = 0;
    loop {
        #[blocking]
        thread::sleep_until(next);
        task(number);
        number += 1;
        next += period;
        if let Some(late) = Instant::now().checked_duration_since(next) {
            next += period * u32::try_from(late.as_nanos() / period.as_nanos()).unwrap_or(0);
        }
    }
    println!("the task has ended");
}

fn main() {
    let (sender, receiver) = mpsc::channel();
    let ticker = thread::spawn(move || {
        every(Duration::from_millis(50), |number| sender.send(number).expect("main receives"));
    });
    for number in receiver.iter().take(3) {
        println!("run {number}");
    }
    ticker.stop_and_join().expect("no panic");

    // An hour's sleep ends as soon.
    let (sender, receiver) = mpsc::channel();
    let ticker = thread::spawn(move || {
        every(Duration::from_secs(3600), |number| sender.send(number).expect("main receives"));
    });
    receiver.recv().expect("the first one runs at once");
    let begin = Instant::now();
    ticker.stop_and_join().expect("no panic");
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}
