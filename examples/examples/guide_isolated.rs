//! Foreign code that nothing can stop: it computes for ever, aborts, or waits in a lock of its
//! own. It runs in a process of its own, which is this program again. A stop, or a limit, kills
//! that process and reaps it.
//!
//! `cargo run --example guide_isolated`

use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use stopruntime::ext::KillGroup;
use stopruntime::{stoppable, thread, within};

/// The argument by which the program knows that it is the worker.
const WORKER: &str = "--worker";

/// Hands a request to a worker and returns its answer.
#[stoppable]
fn isolated(request: &str) -> io::Result<String> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped());
    // Dropped on every way out of here: killed, with all that it has started.
    let mut worker = command.kill_group().spawn()?;
    if let Some(mut input) = worker.stdin().take() {
        // The worker reads the whole request before it answers.
        #[blocking]
        input.write_all(request.as_bytes())?;
    }
    #[blocking]
    let output = worker.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("the worker has failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

/// What the worker does with its request, which it is handed on its standard input.
fn work() -> io::Result<()> {
    let mut request = String::new();
    io::stdin().read_to_string(&mut request)?;
    io::stdout().write_all(foreign(&request).as_bytes())
}

/// Code of another library.
fn foreign(request: &str) -> String {
    match request {
        "for ever" => loop {
            std::hint::spin_loop();
        },
        "crash" => std::process::exit(3),
        text => text.to_uppercase(),
    }
}

fn main() -> io::Result<()> {
    if env::args().nth(1).as_deref() == Some(WORKER) {
        return work();
    }
    println!("answer: {}", isolated("request")?);
    if let Err(error) = isolated("crash") {
        println!("error: {error}");
    }
    if let Err(error) = within(Duration::from_millis(100), || isolated("for ever")) {
        println!("limit: {error}");
    }
    let thread = thread::spawn(|| isolated("for ever"));
    if let Err(error) = thread.stop_and_join().expect("no panic") {
        println!("stop: {error}");
    }
    Ok(())
}
