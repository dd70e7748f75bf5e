//! One test of one program, on one backend.

use super::reaper::reaping;
use super::table::Test;
use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use stop_tests::kill_with_descendants;

/// A test program, and where it runs and writes.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) directory: PathBuf,
    pub(crate) output: PathBuf,
}

/// How a test ended.
pub(crate) enum Ending {
    Passed,
    /// What it said first.
    Failed(String),
    /// The harness has ended it at its limit.
    Hung,
    /// The harness itself has not, in twice that time: nothing is known.
    Lost,
    /// The program has no test of that name.
    Unknown,
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Passed => formatter.write_str("**passed**"),
            Ending::Failed(said) => write!(formatter, "failed: {said}"),
            Ending::Hung => formatter.write_str("hung"),
            Ending::Lost => formatter.write_str("**ERROR**: the harness hangs"),
            Ending::Unknown => formatter.write_str("**ERROR**: no such test"),
        }
    }
}

/// Runs one test, and how long it took. The harness is told the limit.
pub(crate) fn run(
    program: &Program,
    test: Test,
    backend: &str,
    limit: Duration,
) -> (Ending, Duration) {
    let start = Instant::now();
    let ended = reaping(|| within(limit * 2, &mut command(program, test, backend, limit)));
    let said = fs::read(&program.output).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let ending = match ended {
        None => Ending::Lost,
        Some(_) if said.contains("running 0 tests") && !said.contains("running 1 test\n") => {
            Ending::Unknown
        }
        Some(status) if status.success() => Ending::Passed,
        // The harness has seen it first.
        Some(_) if said.contains(" hangs:\n") => Ending::Hung,
        Some(_) => Ending::Failed(gist(&said)),
    };
    (ending, start.elapsed())
}

fn command(program: &Program, test: Test, backend: &str, limit: Duration) -> Command {
    let output = File::create(&program.output).expect("the target directory can be written");
    let mut command = Command::new(&program.path);
    command
        .args(["--exact", test.name(), "--nocapture", "--test-threads=1"])
        .current_dir(&program.directory)
        .env("STOP_TESTS_LIMIT", limit.as_secs().to_string())
        .env("STOP_TESTS", "all")
        .env("RUST_BACKTRACE", "0")
        .env_remove("STOPRUNTIME_BACKEND")
        .stdin(Stdio::null())
        // To a file: a process that is left behind would keep a pipe open.
        .stdout(output.try_clone().expect("a descriptor"))
        .stderr(output);
    if let Some((name, value)) = test.environment {
        command.env(name, value);
    }
    if !backend.is_empty() {
        command.env("STOPRUNTIME_BACKEND", backend);
    }
    command
}

/// How the process ended, if it did.
fn within(limit: Duration, command: &mut Command) -> Option<ExitStatus> {
    let mut child = command.spawn().expect("the test program starts");
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return Some(status);
        }
        if Instant::now() > deadline {
            kill_with_descendants(child.id());
            let _ = child.wait();
            return None;
        }
        // Paces the look at a child; orders nothing.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The first line of the first panic; of the second if there is one, because
/// the harness, which hands on what its child says, comes first.
fn gist(said: &str) -> String {
    const LONGEST: usize = 90;
    let panics: Vec<&str> = said
        .split(" panicked at ")
        .skip(1)
        .map(|panic| panic.lines().nth(1).unwrap_or_default().trim())
        .collect();
    let first = panics.get(1).or(panics.first()).copied().unwrap_or("no panic");
    let short = first.chars().take(LONGEST).collect::<String>();
    // A cell of a table.
    short.replace('|', "\\|")
}
