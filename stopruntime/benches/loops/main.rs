//! Whole loops, as a user writes them: `cargo bench -p stopruntime --bench
//! loops`.
//!
//! A UDP sink and a TCP echo server of 1, 100 and 1,000 threads: the plain
//! loop, which cannot be stopped; the same with the attribute; and the usual
//! way to make it stoppable, `poll` over the data and an eventfd before each
//! call. All loops end in the same way, when their peer says so.

#![allow(unsafe_code, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]

#[path = "../child/mod.rs"]
mod child;
#[path = "../table/mod.rs"]
mod table;

mod echo;
mod measure;
mod sink;

use std::io;
use std::time::Duration;
use table::{Spread, Table};

/// Many and short, so that the columns share what else the machine does.
const ROUNDS: usize = 61;
const ROUND: Duration = Duration::from_millis(50);
/// The first one twice: what differs between the two is noise.
const COLUMNS: [&str; 4] = ["std", "std again", "stoppable", "poll + eventfd"];

/// What a round of a loop gave.
#[derive(Clone, Copy)]
struct Figures {
    requests_per_second: f64,
    /// Of the threads that serve, in microseconds per request.
    cpu: f64,
}

fn main() -> io::Result<()> {
    if table::is_test() {
        return Ok(());
    }
    measure::allow_descriptors(9_000)?;
    child::of_each_backend(bench)
}

fn bench() -> io::Result<()> {
    let mut rows = vec![
        ("UDP sink, full buffer", sink::drained()?),
        ("UDP sink, a sender beside it", sink::fed()?),
    ];
    for (name, threads) in [
        ("TCP echo, 1 thread", 1),
        ("TCP echo, 100 threads", 100),
        ("TCP echo, 1,000 threads", 1_000),
    ] {
        rows.push((name, echo::echo(threads)?));
    }
    let unit = "thousands per second, higher is better";
    let mut rate = Table::new("loops requests", unit, &COLUMNS);
    for (name, columns) in &rows {
        rate.row(
            name,
            &columns
                .each_ref()
                .map(|rounds| spread(rounds, |round| round.requests_per_second / 1e3)),
        );
    }
    rate.keep()?;
    let mut cpu = Table::new("loops CPU", "microseconds of the server per request", &COLUMNS);
    for (name, columns) in &rows {
        cpu.row(name, &columns.each_ref().map(|rounds| spread(rounds, |round| round.cpu)));
    }
    cpu.keep()
}

fn spread(rounds: &[Figures], figure: impl Fn(&Figures) -> f64) -> Option<Spread> {
    Spread::of(rounds.iter().map(figure).collect())
}
