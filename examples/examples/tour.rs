//! Every covered call, stopped while it blocks, on every backend: where it was
//! blocked, how long the stop took, and whether anything was lost.
//!
//! ```text
//! cargo run --release --example tour
//! ```

use core::fmt;
use std::fs;
use std::io;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use stop_testkit::cases::{self, Case, Control, Moved, Outcome, Running, call_name};
use stopruntime::{Backend, Config, InstallError};

const HELP: &str = "\
Blocks a thread in every call that stopruntime covers, stops it there, and
looks whether anything was lost.

usage: tour [--backend rseq|handler|ppoll] [--only TEXT]

  --backend NAME  this backend; without it all three, each in its own process
  --only TEXT     only calls with TEXT in their name
  --help          this text

The exit status is 0 if every call was stopped and nothing was lost, 1 if not,
2 for an argument that is not understood, 3 for a backend that this machine
does not have.";

const LEGEND: &str = "\
blocked in    the system call the thread was asleep in when it was requested to stop
stop+join     from the request to the end of join
nothing lost  what the call would have taken was still there for the next one";

const BACKENDS: [Backend; 3] = [Backend::Rseq, Backend::Handler, Backend::Ppoll];
const NOT_HELD: u8 = 1;
const MISUSED: u8 = 2;
const UNAVAILABLE: u8 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("tour: {mistake}\nTry --help for what it takes.");
            return ExitCode::from(MISUSED);
        }
    };
    let status = match arguments.backend {
        Some(backend) => on_one(backend, &arguments.cases()),
        None => on_all(&arguments).unwrap_or_else(|error| {
            eprintln!("tour: cannot start itself for a backend: {error}");
            NOT_HELD
        }),
    };
    ExitCode::from(status)
}

#[derive(Default)]
struct Arguments {
    backend: Option<Backend>,
    only: Option<String>,
}

impl Arguments {
    /// `None`: help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
        let mut arguments = Arguments::default();
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            if option == "-h" || option == "--help" {
                return Ok(None);
            }
            if option != "--backend" && option != "--only" {
                return Err(format!("{option:?} is not understood"));
            }
            let value = value.or_else(|| words.next());
            let value = value.ok_or_else(|| format!("{option} takes a value"))?;
            if option == "--only" {
                arguments.only = Some(value);
            } else {
                let backend = BACKENDS.into_iter().find(|backend| backend.name() == value);
                arguments.backend = Some(backend.ok_or_else(|| {
                    format!("there is no backend {value:?}: it may be rseq, handler or ppoll")
                })?);
            }
        }
        if let Some(text) = &arguments.only
            && arguments.cases().is_empty()
        {
            return Err(format!("no covered call has {text:?} in its name"));
        }
        Ok(Some(arguments))
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = cases::all();
        cases.retain(|case| self.only.as_ref().is_none_or(|text| case.name.contains(text)));
        cases
    }
}

/// One process for each: a process has one backend.
fn on_all(arguments: &Arguments) -> io::Result<u8> {
    let program = std::env::current_exe()?;
    let mut status = 0;
    println!("{LEGEND}\n");
    for backend in BACKENDS {
        let mut command = Command::new(&program);
        command.args(["--backend", backend.name()]).env("STOPRUNTIME_BACKEND", backend.name());
        if let Some(text) = &arguments.only {
            command.args(["--only", text]);
        }
        match command.status()?.code() {
            Some(0) => {}
            // It has said that this machine does not have it.
            Some(code) if code == i32::from(UNAVAILABLE) => {}
            _ => status = NOT_HELD,
        }
        println!();
    }
    println!("{}", if status == 0 { "Everything held." } else { "NOT everything held." });
    Ok(status)
}

/// The table of one backend.
fn on_one(backend: Backend, cases: &[Case]) -> u8 {
    if let Err(error) = Config::new().backend(backend).install() {
        eprintln!("tour: {error}");
        let unavailable = matches!(error, InstallError::Unavailable(_));
        return if unavailable { UNAVAILABLE } else { NOT_HELD };
    }
    if stopruntime::backend() != backend {
        eprintln!("tour: STOPRUNTIME_BACKEND in the environment overrides --backend {backend}");
        return MISUSED;
    }
    println!("{}; backend {backend}", machine());
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or(0);
    println!("{:width$}  {}", "call", Row::HEADER);
    let rows: Vec<Row> = cases
        .iter()
        .map(|case| {
            let row = Row::of(case, backend);
            println!("{:width$}  {row}", case.name);
            row
        })
        .collect();

    let mut times: Vec<Duration> = rows.iter().filter_map(|row| row.stop).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map_or(0, Duration::as_micros);
    let failed = rows.iter().filter(|row| row.result.is_err()).count();
    let refused = rows.len() - times.len() - failed;
    println!(
        "{backend}: {} calls: {} stopped while they blocked, median {middle} µs from the request \
         to the end of join; {refused} refused; {failed} failed",
        rows.len(),
        times.len(),
    );
    if failed == 0 { 0 } else { NOT_HELD }
}

/// What became of one call.
struct Row {
    backend: Backend,
    /// The system call, by proc(5).
    place: String,
    /// From the request to the end of join.
    stop: Option<Duration>,
    /// What the call reported, if everything held.
    result: Result<String, String>,
    counted: bool,
}

impl Row {
    const HEADER: &'static str =
        "backend  blocked in       stop+join µs  result               nothing lost";

    fn of(case: &Case, backend: Backend) -> Row {
        let counted = case.counts_under_signals;
        let result = Ok(String::new());
        let mut row = Row { backend, place: "-".into(), stop: None, result, counted };
        row.result = row.try_fill(case);
        row
    }

    fn try_fill(&mut self, case: &Case) -> Result<String, String> {
        let fixture = case.arrange().map_err(|error| format!("arranging: {error}"))?;
        let (marked, control) = Control::split(case, fixture);
        let running = Running::start(marked);
        if case.is_refused(self.backend) {
            return refused(running.join()?, control);
        }
        match running.wait_until_blocked(case, self.backend) {
            Ok(call) => self.place = call_name(call),
            Err(reason) => {
                // Not left behind, busy perhaps, in the rows to come.
                running.request_stop();
                return running.join().and(Err(reason));
            }
        }
        let start = Instant::now();
        running.request_stop();
        let outcome = running.join()?;
        let stop = start.elapsed();
        match outcome {
            Outcome::Stopped(moved) => {
                case.progress.check(&moved)?;
                let result = match moved.progress {
                    0 => "stopped".to_owned(),
                    bytes => format!("stopped at {bytes} B"),
                };
                control.nothing_lost(moved)?;
                self.stop = Some(stop);
                Ok(result)
            }
            Outcome::Completed(text) => Err(format!("completed with {text:?}")),
            Outcome::Failed(error) => Err(format!("failed: {error}")),
        }
    }
}

/// What a backend cannot make stoppable it refuses at once; it does not wait.
fn refused(outcome: Outcome, control: Control) -> Result<String, String> {
    match outcome {
        Outcome::Failed(error) if error.raw_os_error() == Some(libc::ENOTSUP) => {
            control.nothing_lost(Moved::default())?;
            Ok("refused (ENOTSUP)".into())
        }
        other => Err(format!("{other:?}, not ENOTSUP")),
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stop = self.stop.map_or("-".into(), |stop| stop.as_micros().to_string());
        let (result, lost) = match &self.result {
            Ok(result) if self.counted => (result.as_str(), "yes"),
            // See `Case::counts_under_signals`.
            Ok(result) => (result.as_str(), "not counted"),
            Err(_) => ("FAILED", "no"),
        };
        let backend = self.backend.name();
        write!(formatter, "{backend:7}  {:15}  {stop:>12}  {result:19}  {lost}", self.place)?;
        match &self.result {
            Ok(_) => Ok(()),
            Err(reason) => write!(formatter, ": {reason}"),
        }
    }
}

/// Processor, kernel and libc, as far as they tell.
fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}: {count} x {model}; Linux {kernel}; {}", std::env::consts::ARCH, libc_name())
}

#[cfg(target_env = "gnu")]
fn libc_name() -> String {
    // SAFETY: takes no argument and returns a string constant.
    let version = unsafe { core::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    format!("glibc {}", version.to_string_lossy())
}

#[cfg(not(target_env = "gnu"))]
fn libc_name() -> String {
    if cfg!(target_env = "musl") { "musl".into() } else { "another libc".into() }
}
