//! The primitives of `sync` without contention, and handed over between two threads, against
//! std's, `parking_lot`'s, `crossbeam-channel`'s and the C library's:
//! `cargo bench -p stopruntime --bench sync`, with part of a row's name behind `--` for that row alone.
//!
//! All columns of a row are interleaved in one process, because these figures
//! mean something only as ratios, in rounds that are over before another
//! process comes in between as a rule. The ratio is that to the best of the
//! others in the same round, its median over the rounds; the spread is half the
//! distance between the quartiles, in per cent of the median.

#![allow(unsafe_code, missing_docs)]
// A share of a thousand rounds.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]

mod handed_over;

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync;
use std::time::Instant;
use stopruntime::Stopper;
use stopruntime::sync as ours;

const ROUNDS: usize = 1001;
const TURNS: u32 = 1_000;

/// One implementation, run for this many turns.
type Column<'a> = (&'static str, &'a mut dyn FnMut(u32));

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    // Registers this thread: the first marked call does it otherwise.
    let _stopper = Stopper::current();
    println!("backend: {}", stopruntime::backend());
    mutex();
    rwlock();
    once_lock();
    semaphore();
    condvar();
    unbounded();
    bounded();
    handed_over::bench();
}

/// The columns of ours come first: the stop-checked one, then the plain one.
fn row(name: &str, columns: &mut [Column<'_>]) {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
        return;
    }
    let mut times = vec![Vec::with_capacity(ROUNDS); columns.len()];
    for _ in 0..ROUNDS {
        for ((_, run), times) in columns.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run(TURNS);
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(TURNS));
        }
    }
    let medians: Vec<f64> = times.iter().map(|times| at(times, 0.5)).collect();
    let best = (2..columns.len()).min_by(|a, b| medians[*a].total_cmp(&medians[*b])).unwrap();
    println!("\n{name:<34} {:>9} {:>8} {:>9}   to the best other", "ns", "spread", "ratio");
    for (column, (label, _)) in columns.iter().enumerate() {
        let ratios: Vec<f64> =
            times[column].iter().zip(&times[best]).map(|(ours, other)| ours / other).collect();
        println!(
            "  {label:<32} {:>9.2} {:>6.1} % {:>9.3}",
            medians[column],
            (at(&times[column], 0.75) - at(&times[column], 0.25)) / medians[column] * 50.0,
            at(&ratios, 0.5),
        );
    }
}

/// The value with this share of the others below it.
fn at(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

/// A column: the statement, over and over.
macro_rules! turns {
    ($name:literal, $turn:expr) => {
        ($name, &mut |turns| {
            for _ in 0..turns {
                $turn;
            }
        })
    };
}

fn mutex() {
    let (mine, std, other) =
        (ours::Mutex::new(0_u64), sync::Mutex::new(0_u64), parking_lot::Mutex::new(0_u64));
    row(
        "Mutex: lock, unlock",
        &mut [
            turns!("stopruntime, or_stop", *mine.lock_or_stop().unwrap().unwrap() += 1),
            turns!("stopruntime", *mine.lock().unwrap() += 1),
            turns!("std", *std.lock().unwrap() += 1),
            turns!("parking_lot", *other.lock() += 1),
        ],
    );
}

fn rwlock() {
    let (mine, std, other) =
        (ours::RwLock::new(0_u64), sync::RwLock::new(0_u64), parking_lot::RwLock::new(0_u64));
    row(
        "RwLock: read, unlock",
        &mut [
            turns!("stopruntime, or_stop", black_box(*mine.read_or_stop().unwrap().unwrap())),
            turns!("stopruntime", black_box(*mine.read().unwrap())),
            turns!("std", black_box(*std.read().unwrap())),
            turns!("parking_lot", black_box(*other.read())),
        ],
    );
    row(
        "RwLock: write, unlock",
        &mut [
            turns!("stopruntime, or_stop", *mine.write_or_stop().unwrap().unwrap() += 1),
            turns!("stopruntime", *mine.write().unwrap() += 1),
            turns!("std", *std.write().unwrap() += 1),
            turns!("parking_lot", *other.write() += 1),
        ],
    );
}

fn once_lock() {
    let (mine, std) = (ours::OnceLock::from(1_u64), sync::OnceLock::from(1_u64));
    let (mine, std) = (black_box(&mine), black_box(&std));
    row(
        "OnceLock: get_or_init, initialised",
        &mut [
            turns!("stopruntime, or_stop", black_box(*mine.get_or_init_or_stop(|| 2).unwrap())),
            turns!("stopruntime", black_box(*mine.get_or_init(|| 2))),
            turns!("std", black_box(*std.get_or_init(|| 2))),
        ],
    );
    // The rows above are loops of one cycle; here something is done with the
    // value.
    let (mut first, mut second, mut third) = (1_u64, 1_u64, 1_u64);
    row(
        "OnceLock: get_or_init, multiplied",
        &mut [
            turns!("stopruntime, or_stop", {
                first = first.wrapping_mul(*mine.get_or_init_or_stop(|| 2).unwrap());
            }),
            turns!("stopruntime", second = second.wrapping_mul(*mine.get_or_init(|| 2))),
            turns!("std", third = third.wrapping_mul(*std.get_or_init(|| 2))),
        ],
    );
    black_box((first, second, third));
}

/// As one is made of a mutex and a condition variable.
macro_rules! counted {
    ($permits:ident, $changed:ident, $lock:expr, $wait:expr) => {{
        let mut permits = $lock;
        while *permits == 0 {
            permits = $wait(permits);
        }
        *permits -= 1;
        drop(permits);
        *$lock += 1;
        $changed.notify_one();
    }};
}

/// `sem_t` does not move.
struct Posix(Box<UnsafeCell<libc::sem_t>>);

impl Posix {
    fn new(permits: u32) -> Posix {
        let mut place = MaybeUninit::uninit();
        // SAFETY: a place for it.
        assert_eq!(unsafe { libc::sem_init(place.as_mut_ptr(), 0, permits) }, 0);
        // SAFETY: initialised; it has not been used, so it may still move.
        Posix(Box::new(UnsafeCell::new(unsafe { place.assume_init() })))
    }

    fn acquire_and_release(&self) {
        // SAFETY: a semaphore.
        unsafe {
            assert_eq!(libc::sem_wait(self.0.get()), 0);
            assert_eq!(libc::sem_post(self.0.get()), 0);
        }
    }
}

fn semaphore() {
    let (mine, posix) = (ours::Semaphore::new(3), Posix::new(3));
    let (std, std_changed) = (sync::Mutex::new(3), sync::Condvar::new());
    let (other, other_changed) = (parking_lot::Mutex::new(3), parking_lot::Condvar::new());
    row(
        "Semaphore: acquire, release",
        &mut [
            turns!("stopruntime, or_stop", drop(mine.acquire_or_stop().unwrap())),
            turns!("stopruntime", drop(mine.acquire())),
            turns!("sem_wait, sem_post", posix.acquire_and_release()),
            turns!(
                "std's Mutex and Condvar",
                counted!(std, std_changed, std.lock().unwrap(), |guard| {
                    std_changed.wait(guard).unwrap()
                })
            ),
            turns!(
                "parking_lot's Mutex and Condvar",
                counted!(other, other_changed, other.lock(), |mut guard| {
                    other_changed.wait(&mut guard);
                    guard
                })
            ),
        ],
    );
}

/// Which has no stop-checked form: it does not wait.
fn condvar() {
    let (mine, std, other) =
        (ours::Condvar::new(), sync::Condvar::new(), parking_lot::Condvar::new());
    let (mine, std, other) = (black_box(&mine), black_box(&std), black_box(&other));
    row(
        "Condvar: notify_one without a waiter",
        &mut [
            turns!("stopruntime", mine.notify_one()),
            turns!("stopruntime, all", mine.notify_all()),
            turns!("std", std.notify_one()),
            turns!("parking_lot", other.notify_one()),
        ],
    );
}

/// A message there and back in one thread.
macro_rules! channels {
    ($name:literal, $ours:expr, $std:expr, $crossbeam:expr) => {{
        let (mine, std, other) = ($ours, $std, $crossbeam);
        row(
            $name,
            &mut [
                turns!("stopruntime, or_stop", {
                    mine.0.send_or_stop(black_box(1_u64)).unwrap().unwrap();
                    black_box(mine.1.recv_or_stop().unwrap().unwrap());
                }),
                turns!("stopruntime", {
                    mine.0.send(black_box(1_u64)).unwrap();
                    black_box(mine.1.recv().unwrap());
                }),
                turns!("std", {
                    std.0.send(black_box(1_u64)).unwrap();
                    black_box(std.1.recv().unwrap());
                }),
                turns!("crossbeam-channel", {
                    other.0.send(black_box(1_u64)).unwrap();
                    black_box(other.1.recv().unwrap());
                }),
            ],
        );
    }};
}

fn unbounded() {
    channels!(
        "unbounded channel: send, recv",
        ours::mpsc::channel::<u64>(),
        sync::mpsc::channel::<u64>(),
        crossbeam_channel::unbounded::<u64>()
    );
}

fn bounded() {
    channels!(
        "channel for 16: send, recv",
        ours::mpsc::sync_channel::<u64>(16),
        sync::mpsc::sync_channel::<u64>(16),
        crossbeam_channel::bounded::<u64>(16)
    );
}
