//! A marked call with data ready against the same call made in every other
//! way that can be stopped, or that tries: `cargo bench -p stopruntime --bench calls`.
//!
//! One process a backend, which this one starts, because a process has one; so
//! there are three tables, each with its own floor. What is counted is the
//! processor time of the process: none of these calls waits, and on a shared
//! machine the clock on the wall measures the neighbours.

#![allow(unsafe_code, missing_docs)]
// System call arguments are registers, and each column is to be inlined into
// its loop as it would be into a user's.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::inline_always
)]

mod callback;
mod files;
mod floor;
mod futex;
mod measure;
mod mtcp;
#[path = "../table/mod.rs"]
mod table;
mod tcp;
mod udp;
mod ways;

use callback::Callback;
use std::process::Command;
use std::{env, io, thread};
use table::Table;

const BACKENDS: [&str; 3] = ["rseq", "handler", "ppoll"];
/// The first argument of the processes that measure.
const MEASURE: &str = "measure";

fn main() -> io::Result<()> {
    if env::args().nth(1).is_some_and(|first| first == MEASURE) {
        return measure_all();
    }
    if table::is_test() {
        return Ok(());
    }
    print!("{}", table::machine());
    callback::build();
    for backend in BACKENDS {
        let mut child = Command::new(env::current_exe()?);
        let status = child.arg(MEASURE).env("STOPRUNTIME_BACKEND", backend).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{backend}: {status}")));
        }
    }
    Ok(())
}

fn measure_all() -> io::Result<()> {
    println!("\nbackend: {}", stopruntime::backend());
    // A program with one thread has no other thread to stop it: libc's calls look at
    // whether there are more, and are cheaper without.
    thread::spawn(|| {
        loop {
            thread::park();
        }
    });
    let callback = Callback::load();
    let mut table = Table::new("per call", "ns of processor time", &measure::COLUMNS);
    measure::row(&mut table, &files::Zero::new()?, callback.as_ref())?;
    measure::row(&mut table, &files::Event::new()?, callback.as_ref())?;
    measure::row(&mut table, &udp::PeekFrom::new()?, callback.as_ref())?;
    measure::row(&mut table, &udp::ToOneself::new()?, callback.as_ref())?;
    measure::row(&mut table, &udp::Send::new()?, callback.as_ref())?;
    measure::row(&mut table, &tcp::Ping::<1>::new()?, callback.as_ref())?;
    measure::row(&mut table, &tcp::Ping::<{ 64 * 1024 }>::new()?, callback.as_ref())?;
    measure::row(&mut table, &tcp::Accept::new()?, callback.as_ref())?;
    measure::row(&mut table, &futex::Changed::new(), callback.as_ref())?;
    measure::row(&mut table, &futex::PingPong::new(), callback.as_ref())?;
    measure::row(&mut table, &futex::SleepUntilPast, callback.as_ref())?;
    table.keep()
}
