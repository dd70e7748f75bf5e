//! Stops at random moments, over and over: none is lost, and nothing else is.
//!
//! `STOP_TESTS_SECONDS=60 cargo test --release -p stop-tests --test foreign random -- --nocapture`
//! says how many there were, and how long each took.

#![allow(clippy::cast_possible_truncation, reason = "counted bytes")]

mod callbacks;
mod sequences;
mod transfers;
mod waits;

use crate::kit::{CANCELED, LONG, assert_clean, errno};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stop_tests::churn::seconds;
use stop_tests::dice::Dice;
use stopruntime::{Stopper, foreign};

/// What a plain call says outside of regions: a sleep of no length, which any signal that
/// has come would have ended.
fn is_undisturbed() -> bool {
    let time = libc::timespec { tv_sec: 0, tv_nsec: 1 };
    // SAFETY: a time.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) == 0 }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Runs `call` in a region again and again until it fails, and requests a stop meanwhile.
/// `call` is handed what a failure has to be.
fn rounds(name: &str, longest: u64, mut call: impl FnMut() -> Result<(), i32>) {
    let shared = Arc::new((Mutex::new(Stopper::new()), AtomicU64::new(0), AtomicU64::new(0)));
    let end = Instant::now() + seconds();
    let requester = std::thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let (job, begun, done) = &*shared;
            let mut dice = Dice::new();
            let mut latencies = Vec::new();
            for round in 1.. {
                while begun.load(SeqCst) < round {
                    std::thread::yield_now();
                }
                if begun.load(SeqCst) == u64::MAX {
                    return latencies;
                }
                dice.spin(longest);
                let job = job.lock().unwrap().clone();
                let start = Instant::now();
                job.request_stop();
                while done.load(SeqCst) < round {
                    std::thread::yield_now();
                    assert!(start.elapsed() < LONG, "{round} stops, the last is lost");
                }
                latencies.push(start.elapsed());
            }
            unreachable!()
        }
    });
    let before = descriptors();
    let (job, begun, done) = &*shared;
    let mut stops = 0_u64;
    loop {
        let current = Stopper::new();
        *job.lock().unwrap() = current.clone();
        stops += 1;
        begun.store(stops, SeqCst);
        current.run(|| {
            while let Ok(result) = foreign(&mut call) {
                match result {
                    Ok(()) | Err(libc::EINTR) => {}
                    Err(error) => {
                        assert_eq!(error, CANCELED);
                        assert!(current.stop_requested(), "nothing was requested");
                        break;
                    }
                }
            }
        });
        done.store(stops, SeqCst);
        for _ in 0..3 {
            assert!(is_undisturbed(), "{stops} stops: {}", errno());
        }
        // One at least, however late it is.
        if Instant::now() >= end {
            break;
        }
    }
    begun.store(u64::MAX, SeqCst);
    let mut latencies = requester.join().unwrap();
    latencies.sort();
    assert_clean();
    // The other side may have one more now.
    assert!(descriptors() <= before + 1, "descriptors");
    let at = |part: usize| latencies[(latencies.len() * part / 1000).min(latencies.len() - 1)];
    println!(
        "{name}: {stops} stops, 0 lost; p50 {:?} p99 {:?} p99.9 {:?}",
        at(500),
        at(990),
        at(999)
    );
}

fn result<T>(result: io::Result<T>) -> Result<T, i32> {
    result.map_err(|error| error.raw_os_error().expect("an errno"))
}

/// Bytes that come one after the other are all seen, in this order.
struct Sequence(u8);

impl Sequence {
    fn check(&mut self, bytes: &[u8]) {
        for byte in bytes {
            assert_eq!(*byte, self.0, "bytes are missing");
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// Sends counted bytes until the other side has gone.
fn feed(mut writer: impl Write + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut dice = Dice::of(12345);
        let mut next = 0_u8;
        loop {
            let length = dice.below(40) as u8 + 1;
            let bytes: Vec<u8> = (0..length).map(|at| next.wrapping_add(at)).collect();
            if writer.write_all(&bytes).is_err() {
                return;
            }
            next = next.wrapping_add(length);
            let start = Instant::now();
            let wait = Duration::from_nanos(dice.below(60_000));
            while start.elapsed() < wait {
                std::thread::yield_now();
            }
        }
    })
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}
