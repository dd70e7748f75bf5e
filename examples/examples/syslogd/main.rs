//! A syslog collector: UDP, TCP and Unix datagrams into one file.
//!
//! ```text
//! cargo run --example syslogd -- --output all.log
//! logger -n 127.0.0.1 -P 5514 --tcp hello
//! ```
//!
//! Each listener and each TCP connection is a thread that blocks, the plainest
//! program there is. What makes it end well on Ctrl-C are the marks in
//! `listen.rs` and `connection.rs`, and the lines after the loops there.
//!
//! `kill -HUP` makes it open its file anew (`writer.rs`), and `kill -USR2` say what each of
//! its threads does, and what keeps one that does not end.

mod args;
mod connection;
mod doors;
mod line;
mod listen;
mod source;
mod stream;
mod writer;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use args::Options;
use doors::Doors;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};
use stopruntime::shutdown::{Guard, Shutdown};
use stopruntime::{Stopper, stoppable};

fn main() -> ExitCode {
    let options = match args::parse(lexopt::Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(format_args!("{}", args::USAGE));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            complain(format_args!("{error}\nTry 'syslogd --help'."));
            return ExitCode::from(2);
        }
    };
    let failures = match run(&options) {
        Ok(failures) => failures,
        Err(failure) => vec![failure],
    };
    for failure in &failures {
        complain(failure);
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Collects until the main thread is requested to stop; what failed meanwhile.
fn run(options: &Options) -> Result<Vec<String>, String> {
    stop_main_on(&[SIGINT, SIGTERM])?;
    let signals = Arc::new(signals()?);
    let (lines, writer) = writer::start(&options.output, Stopper::current(), signals.clone())?;
    let doors = Doors::open(options)?;
    for source in doors.sources() {
        say(format_args!("listening on {}", source.name()));
    }

    let failures = listen::collect(&doors, lines, until_requested);

    // No listener is left, so the writer has ended or is about to.
    let written = writer.join().map_err(|_| "the writer panicked".to_owned())??;
    for source in doors.sources() {
        say(source);
    }
    say(format_args!("{}: {written}", options.output.display()));
    Ok(failures)
}

/// SIGHUP and SIGUSR2. What ends the program is `main`'s.
fn signals() -> Result<Guard, String> {
    let guard = Shutdown::new().signals([]).reload_on([SIGHUP]);
    let guard = guard.report_on([SIGUSR2], |threads| {
        complain(format_args!("{} threads:\n{threads}", threads.len()));
    });
    guard.install().map_err(|error| format!("cannot handle SIGHUP and SIGUSR2: {error}"))
}

/// Waits for a signal, or for a thread that cannot go on.
#[stoppable]
fn until_requested() {
    #[blocking]
    std::thread::sleep(Duration::MAX);
}

/// A signal is a request to the main thread, no less and no more; a second one
/// finds it made.
fn stop_main_on(signals: &[i32]) -> Result<(), String> {
    for &signal in signals {
        let main = Stopper::current();
        // SAFETY: all that runs in the handler is `request_stop`, which is
        // async-signal-safe: it neither locks nor allocates.
        unsafe {
            signal_hook::low_level::register(signal, move || {
                main.request_stop();
            })
        }
        .map_err(|error| format!("cannot handle signal {signal}: {error}"))?;
    }
    Ok(())
}

/// To standard output. The log does not depend on a reader of it.
fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// To standard error.
fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "syslogd: {text}");
}
