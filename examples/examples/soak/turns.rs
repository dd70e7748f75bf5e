//! The bouts, in turns: every call on every backend, again and again.

use crate::args::{BACKENDS, Options};
use crate::calls::{self, Way};
use crate::rival::Rival;
use crate::tally::Tally;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A bout is no longer than this, so that Ctrl-C is heard soon.
const LONGEST: Duration = Duration::from_secs(2);
const SHORTEST: Duration = Duration::from_millis(50);
const PROGRESS: Duration = Duration::from_secs(10);

/// One call on one backend, or one of the rival's.
pub(crate) struct Turn {
    pub(crate) backend: String,
    pub(crate) call: &'static str,
    pub(crate) is_rival: bool,
    foreign: Option<Way>,
    program: std::path::PathBuf,
}

impl Turn {
    /// All that the options leave.
    pub(crate) fn all(options: &Options, rival: Option<&Rival>) -> io::Result<Vec<Turn>> {
        let wanted = |name: &str| options.call.as_ref().is_none_or(|text| name.contains(text));
        let program = std::env::current_exe()?;
        let mut turns = Vec::new();
        for call in calls::all().filter(|call| call.is_soaked(options.foreign) && wanted(call.name))
        {
            for backend in BACKENDS {
                if call.is_on(backend) && options.backend.is_none_or(|one| one == backend) {
                    turns.push(Turn {
                        backend: backend.name().into(),
                        call: call.name,
                        foreign: options.foreign,
                        is_rival: false,
                        program: program.clone(),
                    });
                }
            }
            if let Some(rival) = rival.filter(|rival| !call.is_foreign && rival.has(call.name)) {
                turns.push(Turn {
                    backend: rival.name().into(),
                    call: call.name,
                    foreign: None,
                    is_rival: true,
                    program: rival.program(),
                });
            }
        }
        if turns.is_empty() {
            let text = options.call.as_deref().unwrap_or_default();
            return Err(io::Error::other(format!("no call has {text:?} in its name here")));
        }
        Ok(turns)
    }

    /// Runs one bout. A process that cannot be started or does not report is
    /// counted: it is no reason to give up the others.
    fn bout(&self, time: Duration) -> Tally {
        let mut command = Command::new(&self.program);
        command.args(["--bout", "--call", self.call, "--seconds"]);
        command.arg(time.as_secs_f64().to_string());
        if !self.is_rival {
            command.env("STOPRUNTIME_BACKEND", &self.backend);
        }
        match self.foreign {
            None => {}
            Some(Way::Chosen) => drop(command.arg("--foreign")),
            Some(Way::Timer) => {
                command.arg("--foreign-by-timer").env("STOPRUNTIME_FOREIGN", "tick");
            }
        }
        // Ctrl-C is for the process that prints; a bout is over soon.
        command.process_group(0).stdin(Stdio::null()).stderr(Stdio::inherit());
        let failed = |reason: String| {
            let mut tally = Tally::new();
            tally.failed = 1;
            tally.note(reason);
            tally
        };
        match command.output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                Tally::parse(&text).unwrap_or_else(|| {
                    failed(format!("the process ended with {} and said {text:?}", output.status))
                })
            }
            Err(error) => failed(format!("the process cannot be started: {error}")),
        }
    }
}

/// A turn and all that its bouts have counted.
pub(crate) struct Row {
    pub(crate) turn: Turn,
    pub(crate) tally: Tally,
}

/// What came of it all.
pub(crate) struct Soaked {
    pub(crate) rows: Vec<Row>,
    pub(crate) time: Duration,
}

/// Takes the turns until the time is over or the flag is set.
pub(crate) fn run(turns: Vec<Turn>, options: &Options, interrupted: &AtomicBool) -> Soaked {
    let start = Instant::now();
    let share = options.time * u32::try_from(options.jobs).unwrap_or(1)
        / u32::try_from(turns.len()).unwrap_or(1);
    let each = share.clamp(SHORTEST, LONGEST);
    let next = AtomicUsize::new(0);
    let mut tallies = vec![Tally::new(); turns.len()];
    let (sender, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            let (sender, turns, next) = (sender.clone(), &turns, &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Every call has its turn once, however short the time.
                    let over = number >= turns.len() && start.elapsed() + each / 2 >= options.time;
                    if over || interrupted.load(Ordering::Relaxed) {
                        return;
                    }
                    let index = number % turns.len();
                    if sender.send((index, turns[index].bout(each))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        gather(&results, &turns, &mut tallies, start);
    });
    let rows = turns.into_iter().zip(tallies).map(|(turn, tally)| Row { turn, tally }).collect();
    Soaked { rows, time: start.elapsed() }
}

/// Adds up what the bouts report, and says how far it is now and then.
fn gather(
    results: &mpsc::Receiver<(usize, Tally)>,
    turns: &[Turn],
    tallies: &mut [Tally],
    start: Instant,
) {
    let mut due = start + PROGRESS;
    loop {
        match results.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok((index, tally)) => {
                let turn = &turns[index];
                for note in &tally.notes {
                    eprintln!("soak: {} on {}: {note}", turn.call, turn.backend);
                }
                tallies[index].merge(tally);
            }
            Err(RecvTimeoutError::Timeout) => {
                due += PROGRESS;
                progress(turns, tallies, start);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn progress(turns: &[Turn], tallies: &[Tally], start: Instant) {
    let ours = || turns.iter().zip(tallies).filter(|(turn, _)| !turn.is_rival);
    let stops: u64 = ours().map(|(_, tally)| tally.stops).sum();
    let broken = ours().filter(|(_, tally)| !tally.holds()).count();
    let seconds = start.elapsed().as_secs();
    let rate = stops / seconds.max(1);
    eprintln!("soak: {seconds} s, {stops} stops, {rate}/s, {broken} rows with something lost");
}
