//! The proof that runs for as long as one likes: threads are stopped at random
//! moments, over and over, in every kind of call and on every backend, and what
//! is lost is counted.
//!
//! ```text
//! cargo run --release --example soak -- --minutes 60 --against-pthread-cancel
//! ```
//!
//! A *bout* is a process of its own that soaks one call on one backend for a
//! second or two (`bout.rs`), so that the descriptors of each call are counted
//! by themselves and whatever goes wrong ends there. Bouts follow each other
//! in turns (`turns.rs`), as many at once as there are processors, until the
//! time is over; then their tallies are printed as a table and drawn.
//!
//! | file | |
//! |---|---|
//! | `calls/` | the calls, one file for each family |
//! | `bout.rs` | starting, stopping and waiting for the threads |
//! | `aside.rs` | what those threads do that is not marked |
//! | `pester.rs` | signals that others send to threads in regions (`--foreign`) |
//! | `tally.rs`, `histogram.rs` | what is counted |
//! | `turns.rs` | the bouts, one after the other |
//! | `table.rs`, `svg.rs` | what is shown |
//! | `rival.rs`, `pthread_cancel/` | the same stress on `pthread_cancel(3)` |

mod args;
mod aside;
mod bout;
mod calls;
mod histogram;
mod pester;
mod rival;
mod svg;
mod table;
mod tally;
mod turns;

use args::Options;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use turns::Turn;

const NOT_HELD: u8 = 1;
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let options = match args::parse(lexopt::Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(mistake) => return misused(&mistake.to_string()),
    };
    if options.bout {
        let name = options.call.as_deref().unwrap_or_default();
        let named = |call: &&calls::Call| call.name == name && call.is_soaked(options.foreign);
        return match calls::all().find(named) {
            Some(call) => bout::run(call, options.time),
            None => misused("--bout takes the whole name of a call"),
        };
    }
    match soak(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_HELD),
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::from(NOT_HELD)
        }
    }
}

fn misused(mistake: &str) -> ExitCode {
    eprintln!("soak: {mistake}\nTry --help for what it takes.");
    ExitCode::from(MISUSED)
}

/// Whether everything held.
fn soak(options: &Options) -> io::Result<bool> {
    let rival = if options.against { Some(rival::Rival::build()?) } else { None };
    let turns = Turn::all(options, rival.as_ref())?;
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(libc::SIGINT, Arc::clone(&interrupted))?;
    let soaked = turns::run(turns, options, &interrupted);
    print!("{}", table::Table(&soaked));
    std::fs::write(&options.svg, svg::Drawing(&soaked.rows).to_string())?;
    println!("latencies drawn in {}", options.svg.display());
    Ok(soaked.rows.iter().all(|row| row.turn.is_rival || row.tally.holds()))
}
