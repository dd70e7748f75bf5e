//! The stop-checked calls of the optional features against the plain ones:
//! `cargo bench -p stopruntime --all-features --bench features`.
//!
//! Both columns of a row are interleaved in one process, because these figures
//! mean something only as ratios; the best and the median of the rounds are
//! printed. The backend is the one in force (`STOPRUNTIME_BACKEND`).

#![allow(missing_docs, unsafe_code)]

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use io_uring::{IoUring, opcode};
use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};
use stopruntime::ext::{ReceiverOrStop, SenderOrStop, SubmitAndWaitOrStop};
use stopruntime::thread;

const ROUNDS: usize = 61;
const TURNS: u32 = 10_000;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("backend: {}\n", stopruntime::backend());
    println!("{:<44} {:>9} {:>9}   ours/plain", "ns per call", "plain", "ours");
    for (name, bound) in [("unbounded", None), ("bounded", Some(TURNS as usize))] {
        let (sender, receiver) = bound.map_or_else(unbounded, bounded);
        receive(name, &sender, &receiver);
        send(name, &sender, &receiver);
    }
    for bound in [0, 1] {
        let name = format!("crossbeam there and back, bound {bound}");
        row(&name, [&mut || there_and_back(bound, &PLAIN), &mut || there_and_back(bound, &OURS)]);
    }
    match IoUring::new(8) {
        Ok(mut ring) => rings(&mut ring),
        Err(error) => println!("the kernel refuses rings: {error}"),
    }
}

/// Runs the columns in turn, round after round; each says how long its turns
/// took.
fn row(name: &str, mut columns: [&mut dyn FnMut() -> Duration; 2]) {
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (column, times) in columns.iter_mut().zip(&mut times) {
            times.push(column().as_secs_f64() * 1e9 / f64::from(TURNS));
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    for (kind, at) in [("best", 0), ("median", ROUNDS / 2)] {
        let [plain, ours] = [times[0][at], times[1][at]];
        println!(
            "{:<44} {plain:>9.1} {ours:>9.1}   {:>8.3}",
            format!("{name}, {kind}"),
            ours / plain
        );
    }
}

fn timed(mut turn: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..TURNS {
        turn();
    }
    start.elapsed()
}

/// The messages are there before the clock starts.
fn receive(kind: &str, sender: &Sender<u64>, receiver: &Receiver<u64>) {
    let fill = || (0..u64::from(TURNS)).for_each(|message| sender.send(message).unwrap());
    row(
        &format!("crossbeam recv, {kind}, data ready"),
        [
            &mut || {
                fill();
                timed(|| {
                    black_box(receiver.recv()).ok();
                })
            },
            &mut || {
                fill();
                timed(|| {
                    black_box(receiver.recv_or_stop()).ok();
                })
            },
        ],
    );
}

/// There is room.
fn send(kind: &str, sender: &Sender<u64>, receiver: &Receiver<u64>) {
    row(
        &format!("crossbeam send, {kind}, room"),
        [
            &mut || {
                let time = timed(|| {
                    black_box(sender.send(1)).ok();
                });
                receiver.try_iter().for_each(drop);
                time
            },
            &mut || {
                let time = timed(|| {
                    black_box(sender.send_or_stop(1)).ok();
                });
                receiver.try_iter().for_each(drop);
                time
            },
        ],
    );
}

/// How both ends are used.
struct Calls {
    send: fn(&Sender<u64>, u64),
    recv: fn(&Receiver<u64>) -> Option<u64>,
}

const PLAIN: Calls = Calls {
    send: |sender, message| sender.send(message).unwrap(),
    recv: |receiver| receiver.recv().ok(),
};
const OURS: Calls = Calls {
    send: |sender, message| sender.send_or_stop(message).unwrap().unwrap(),
    recv: |receiver| receiver.recv_or_stop().unwrap().ok(),
};

/// To another thread and back, each waiting for the other.
fn there_and_back(bound: usize, calls: &'static Calls) -> Duration {
    let ((there, requests), (back, answers)) = (bounded(bound), bounded(bound));
    let echo = thread::spawn(move || {
        while let Some(message) = (calls.recv)(&requests) {
            (calls.send)(&back, message);
        }
    });
    let time = timed(|| {
        (calls.send)(&there, 1);
        black_box((calls.recv)(&answers));
    });
    drop(there);
    echo.join().unwrap();
    time
}

/// One of the two calls, with what it wants.
type Wait = fn(&IoUring) -> usize;

fn rings(ring: &mut IoUring) {
    const PLAIN: Wait = |ring| ring.submit_and_wait(1).unwrap();
    const OURS: Wait = |ring| ring.submit_and_wait_or_stop(1).unwrap().unwrap();
    let one = &RefCell::new(IoUring::new(8).unwrap());
    let complete = |wait: Wait| {
        timed(|| {
            let mut ring = one.borrow_mut();
            push(&mut ring);
            assert_eq!(wait(&ring), 1);
            assert_eq!(ring.completion().count(), 1);
        })
    };
    let name = "io_uring, one entry and its completion";
    row(name, [&mut || complete(PLAIN), &mut || complete(OURS)]);

    // It is not taken out.
    push(ring);
    ring.submit_and_wait(1).unwrap();
    let look = |wait: Wait| timed(|| assert_eq!(wait(ring), 0));
    row("io_uring, a completion that is there", [&mut || look(PLAIN), &mut || look(OURS)]);
}

fn push(ring: &mut IoUring) {
    let entry = opcode::Nop::new().build();
    // SAFETY: it has no buffers.
    unsafe { ring.submission().push(&entry) }.unwrap();
}
