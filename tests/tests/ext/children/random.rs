//! Stopped at random instants. `STOP_TESTS_STOPS=100000` for the long run.

use crate::children::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::wait_for;

/// Longer than a child takes to start and to write, where that is soon done.
const SPREAD: u64 = 6_000_000;

/// As long as this child takes to start, to write and to end, by one that does.
fn spread_of(mut command: Command) -> u64 {
    let start = Instant::now();
    assert_eq!(command.output().unwrap().status.code(), Some(3));
    let took = u64::try_from(start.elapsed().as_nanos()).unwrap();
    took.max(SPREAD)
}

/// Runs `body` in a thread that is stopped within the spread; what it returns.
fn stopped_at_random<T: Send + std::fmt::Debug + 'static>(
    dice: &mut Dice,
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    let handle = thread::spawn(body);
    let spread = if dice.chance(3) { SPREAD / 10 } else { SPREAD };
    dice.spin(spread);
    stop(handle)
}

/// Completes calls of `call` until it is stopped: not before this is so of the
/// number of completed ones, however slow they are.
fn completed_at_random(
    dice: &mut Dice,
    spread: u64,
    ready: impl Fn(u64) -> bool,
    mut call: impl FnMut() -> Result<(), Stopped> + Send + 'static,
) -> (u64, Stopped) {
    let completed = Arc::new(AtomicU64::new(0));
    let theirs = Arc::clone(&completed);
    let calls = move || {
        loop {
            if let Err(stopped) = call() {
                return stopped;
            }
            theirs.fetch_add(1, Ordering::Relaxed);
        }
    };
    let handle = thread::spawn(calls);
    wait_for("a child to have come so far", || ready(completed.load(Ordering::Relaxed)));
    let span = if dice.chance(3) { spread / 10 } else { spread };
    dice.spin(span);
    let stopped = stop(handle);
    (completed.load(Ordering::Relaxed), stopped)
}

/// How often a call completed, and whether the stop found one at work.
#[derive(Debug, Default)]
struct Count {
    completed: u64,
    killed: u64,
    read: u64,
}

impl Count {
    fn add(&mut self, (completed, stopped): (u64, Stopped)) {
        self.completed += completed;
        self.killed += 1;
        self.read += stopped.progress() as u64;
    }
}

per_backend! {
    fn outputs_are_complete_or_stopped_and_nothing_is_left() {
        let before = begin();
        let (mut dice, spread) = (Dice::new(), spread_of(noisy()));
        let [stdout, stderr] = noise();
        let noise = Arc::new((stdout, stderr));
        let mut count = Count::default();
        // There once a child has written more than pipes hold, so that some of it
        // has been read.
        let mark = std::env::temp_dir().join(format!("stop-tests-{}", std::process::id()));
        for run in 0..runs(1_000) {
            let noise = Arc::clone(&noise);
            let mut command = match run % 8 {
                0 => noisy_and_then(&format!("> {}; exec sleep infinity", mark.display())),
                4 => endless(),
                _ => noisy(),
            };
            let ready = |completed| match run % 8 {
                0 => mark.exists(),
                1 => completed > 0,
                _ => true,
            };
            count.add(completed_at_random(&mut dice, spread, ready, move || {
                let Output { status, stdout, stderr } = command.output_or_stop()?.unwrap();
                assert_eq!(status.code(), Some(3));
                assert!(stdout == noise.0 && stderr == noise.1, "not what was written");
                Ok(())
            }));
            let _ = std::fs::remove_file(&mark);
            check_nothing_is_left(before);
        }
        eprintln!("{count:?}");
        assert!(count.completed > 0 && count.read > 0, "the stops met children at work");
    }

    fn statuses_are_complete_or_stopped_and_nothing_is_left() {
        let before = begin();
        let (mut dice, spread) = (Dice::new(), spread_of(shell("exit 3")));
        let mut count = Count::default();
        for run in 0..runs(1_000) {
            let mut command = if run % 4 == 0 { endless() } else { shell("exit 3") };
            let ready = |completed| run % 8 != 1 || completed > 0;
            count.add(completed_at_random(&mut dice, spread, ready, move || {
                assert_eq!(command.status_or_stop()?.unwrap().code(), Some(3));
                Ok(())
            }));
            check_nothing_is_left(before);
        }
        eprintln!("{count:?}");
        assert!(count.completed > 0, "the stops met children at work");
    }

    /// Stopped and called again until it is through: each byte once.
    fn read_output_loses_nothing_over_any_number_of_stops() {
        let before = begin();
        let mut dice = Dice::new();
        let noise: [Vec<u8>; 2] = noise();
        let (mut stops, mut in_the_middle) = (0, 0);
        while stops < runs(1_000) {
            let mut command = noisy();
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut reading = (command.spawn().unwrap(), Vec::new(), Vec::new());
            let status = loop {
                let had = reading.1.len() + reading.2.len();
                let handle = thread::spawn(move || {
                    let (child, stdout, stderr) = &mut reading;
                    (child.read_output_or_stop(stdout, stderr), reading)
                });
                dice.spin(SPREAD / 6);
                let (outcome, back) = stop(handle);
                reading = back;
                match outcome {
                    Ok(status) => break status.unwrap(),
                    Err(stopped) => {
                        let has = reading.1.len() + reading.2.len();
                        assert_eq!(stopped.progress(), has - had);
                        in_the_middle += u64::from(stopped.progress() > 0);
                        stops += 1;
                    }
                }
            };
            assert_eq!(status.code(), Some(3));
            let (child, stdout, stderr) = reading;
            assert!(stdout == noise[0] && stderr == noise[1], "not what was written");
            drop(child);
            check_nothing_is_left(before);
        }
        eprintln!("{stops} stops, {in_the_middle} with something read");
        assert!(in_the_middle > 0);
    }

    /// What a stopped call has dropped is what it says it has.
    fn wait_with_output_says_what_it_dropped() {
        let before = begin();
        let mut dice = Dice::new();
        let (mut stops, mut in_the_middle) = (0, 0);
        while stops < runs(1_000) {
            let mut command = noisy();
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut dropped = 0;
            let output = loop {
                let handle = thread::spawn(move || (child.wait_with_output_or_stop(), child));
                dice.spin(SPREAD / 6);
                let (outcome, back) = stop(handle);
                child = back;
                match outcome {
                    Ok(output) => break output.unwrap(),
                    Err(stopped) => {
                        dropped += stopped.progress();
                        in_the_middle += u64::from(stopped.progress() > 0);
                        stops += 1;
                    }
                }
            };
            assert_eq!(output.status.code(), Some(3));
            assert_eq!(dropped + output.stdout.len() + output.stderr.len(), 2 * NOISE);
            drop(child);
            check_nothing_is_left(before);
        }
        eprintln!("{stops} stops, {in_the_middle} with something read");
        assert!(in_the_middle > 0);
    }

    /// Stopped in its `wait`, a child is as it was for the next wait.
    fn a_child_is_reaped_once_whichever_thread_waits_for_it() {
        let before = begin();
        let mut dice = Dice::new();
        let mut stops = 0;
        for run in 0..runs(1_000) {
            let mut child = shell("exit 3").spawn().unwrap();
            let wait = move || (child.wait_or_stop(), child);
            let (outcome, mut child) = stopped_at_random(&mut dice, wait);
            stops += u64::from(outcome.is_err());
            let status = match run % 3 {
                0 => child.wait().unwrap(),
                1 => child.wait_or_stop().unwrap().unwrap(),
                _ => child.wait_with_output_or_stop().unwrap().unwrap().status,
            };
            assert_eq!(status.code(), Some(3));
            check_nothing_is_left(before);
        }
        eprintln!("{stops} stops");
        assert!(stops > 0);
    }
}
