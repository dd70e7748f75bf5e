//! Many blocked threads, all stopped: `cargo bench -p stopruntime --bench many`.
//!
//! The time from the first request until the last thread has been joined, and
//! the memory of a blocked thread; against plain std threads that an eventfd
//! ends which all of them poll beside their data, and against plain std threads
//! that read, and are ended by something to read.

#![allow(unsafe_code, missing_docs)]
#![allow(clippy::cast_precision_loss)]

#[path = "../child/mod.rs"]
mod child;
#[path = "../table/mod.rs"]
mod table;

mod crowd;
mod memory;

use crowd::Crowd;
use std::io;
use std::time::{Duration, Instant};
use table::{Spread, Table};

/// How many threads, and how many crowds of so many.
const SIZES: [(usize, usize); 5] = [(1, 200), (10, 100), (100, 31), (1_000, 11), (10_000, 5)];

fn main() -> io::Result<()> {
    if table::is_test() {
        return Ok(());
    }
    if let Some(part) = child::part() {
        return memory::child(&part);
    }
    crowd::allow_descriptors(12_000)?;
    child::of_each_backend(bench)
}

fn bench() -> io::Result<()> {
    ending()?;
    memory::bench()
}

fn ending() -> io::Result<()> {
    let ways = [
        Crowd::written,
        Crowd::broadcast,
        Crowd::requested,
        Crowd::requested_together,
        Crowd::scoped,
    ];
    let columns =
        ["an eventfd each", "one eventfd + poll", "request_stop", "request_stop_all", "scope"];
    let mut table =
        Table::new("many", "microseconds per thread, request all and join all", &columns);
    for (threads, rounds) in SIZES {
        let mut crowd = Crowd::new(threads)?;
        let mut times = ways.map(|_| Vec::new());
        for round in 0..=rounds {
            for (way, times) in ways.iter().zip(&mut times) {
                let time = way(&mut crowd)?.as_secs_f64() * 1e6;
                times.extend(Some(time / threads as f64).filter(|_| round > 0));
            }
        }
        table.row(&format!("{threads} threads"), &times.map(Spread::of));
    }
    table.keep()
}

fn timed(end: impl FnOnce()) -> Duration {
    let start = Instant::now();
    end();
    start.elapsed()
}
