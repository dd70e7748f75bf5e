//! Benches that run in processes of their own: one a backend, and parts whose
//! figure another part would spoil.

#![allow(dead_code, reason = "each bench uses its part")]

use std::env;
use std::io;
use std::process::{Command, Stdio};

/// Names the part that a child measures.
const PART: &str = "STOPRUNTIME_BENCH_PART";

/// Runs `bench` on each backend, each in a process of its own; or here, if the
/// environment names one.
pub(crate) fn of_each_backend(bench: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    if env::var_os("STOPRUNTIME_BACKEND").is_some() {
        return bench();
    }
    let mut failed = Vec::new();
    for backend in ["rseq", "handler", "ppoll"] {
        println!("\n==== {backend}");
        if !myself()?.env("STOPRUNTIME_BACKEND", backend).status()?.success() {
            failed.push(backend);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(format!("failed: {failed:?}"))) }
}

/// The part that this process is to measure, if it is a child of [`measure`].
pub(crate) fn part() -> Option<String> {
    env::var(PART).ok()
}

/// What a fresh process on the same backend prints for this part.
pub(crate) fn measure(part: &str) -> io::Result<f64> {
    let output = myself()?.env(PART, part).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = text.trim().parse().ok().filter(|_| output.status.success());
    figure.ok_or_else(|| io::Error::other(format!("{part}: {}, {text}", output.status)))
}

fn myself() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1));
    Ok(command)
}
