//! Threads that enter a limit of two seconds again and again: how often does that wake
//! the process?

use crate::goal;
use crate::table::{Spread, Table};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};
use stopruntime::{TimedOut, within};

const ROUNDS: usize = 3;
const WATCHED: Duration = Duration::from_secs(4);
const LIMIT: Duration = Duration::from_secs(2);

pub(crate) fn bench() -> io::Result<()> {
    let columns = ["wake-ups a second", "renewals a second"];
    let mut table = Table::new("renewing deadlines", "of the thread that watches", &columns);
    for (threads, pause) in [(2, Duration::ZERO), (1_000, SECOND / 2), (10_000, SECOND)] {
        let rounds: Vec<_> =
            (0..ROUNDS).map(|_| watch(threads, pause)).collect::<io::Result<_>>()?;
        let column = |which: fn(&(f64, f64)) -> f64| Spread::of(rounds.iter().map(which).collect());
        let wakes = column(|round| round.0);
        table.row(&format!("{threads} threads"), &[wakes, column(|round| round.1)]);
        goal("wake-ups a second", wakes.map_or(f64::NAN, |wakes| wakes.median), 10.0);
    }
    table.keep()
}

const SECOND: Duration = Duration::from_secs(1);

/// How often a second the deadlines' thread wakes up, and how often they are renewed.
fn watch(threads: u32, pause: Duration) -> io::Result<(f64, f64)> {
    let end = Arc::new(AtomicBool::new(false));
    let renewed = Arc::new(AtomicU64::new(0));
    let mut crowd = Vec::new();
    for number in 0..threads {
        let (end, renewed) = (Arc::clone(&end), Arc::clone(&renewed));
        let run = move || {
            // Not all at once.
            thread::sleep(pause * number / threads);
            let mut own = 0;
            while !end.load(Ordering::Relaxed) {
                let result: Result<_, TimedOut> = within(LIMIT, || {
                    if !pause.is_zero() {
                        // Not a marked call: these wake-ups are the thread's own.
                        thread::sleep(pause);
                    }
                    Ok(black_box(1))
                });
                assert!(result.is_ok());
                own += 1;
                if !pause.is_zero() || own % 1024 == 0 {
                    renewed.fetch_add(if pause.is_zero() { 1024 } else { 1 }, Ordering::Relaxed);
                }
            }
        };
        crowd.push(thread::Builder::new().stack_size(64 * 1024).spawn(run)?);
    }
    // Each has been through once.
    thread::sleep(pause * 2 + SECOND / 2);
    let (start, wakes, count) = (Instant::now(), wakes()?, renewed.load(Ordering::Relaxed));
    thread::sleep(WATCHED);
    let seconds = start.elapsed().as_secs_f64();
    let woken = self::wakes()? - wakes;
    let renewed = renewed.load(Ordering::Relaxed) - count;
    end.store(true, Ordering::Relaxed);
    for thread in crowd {
        thread.join().expect("no panic");
    }
    Ok((woken as f64 / seconds, renewed as f64 / seconds))
}

/// How often the helper has slept so far; `proc_pid_status(5)`.
fn wakes() -> io::Result<u64> {
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        // One that has ended meanwhile is another one.
        if fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "stop-deadlines") {
            let status = fs::read_to_string(path.join("status"))?;
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            return Ok(line.expect("Linux 2.6.23").trim().parse().expect("a number"));
        }
    }
    Err(io::Error::other("no thread watches over deadlines"))
}
