//! A daemon under load that gets one, two or three signals at random instants: what it has
//! acknowledged is in its file, the file is whole, and the exit status says how it ended.

use super::daemon::{Daemon, say, task};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stop_tests::dice::{Dice, runs};
use stop_tests::directory::Directory;
use stop_tests::per_backend;
use stopruntime::shutdown::{Guard, Shutdown};
use stopruntime::thread::Group;
use stopruntime::{Stopper, stoppable};

/// Of the warm end.
const CODE: u8 = 7;
const CLIENTS: usize = 4;

/// One run, from the dice.
#[derive(Debug)]
struct Plan {
    /// Each with the time before it, in nanoseconds, at most.
    signals: Vec<(Signal, u64)>,
    /// How long the daemon's clean-up takes, in microseconds.
    hold: u64,
    /// How long its last actions take if it goes cold.
    cold: u64,
    /// The limit of the shutdown, if there is one.
    limit: Option<u64>,
}

impl Plan {
    fn new(dice: &mut Dice) -> Plan {
        let mut signals = Vec::new();
        for number in 0..=dice.below(3) {
            let signal = if dice.chance(2) { Signal::SIGINT } else { Signal::SIGTERM };
            // The first one comes also while nothing is connected yet.
            let longest = if number == 0 { 5_000_000 } else { pick(dice, [1, 50_000, 1_000_000]) };
            signals.push((signal, longest));
        }
        let mut time = || {
            let longest = pick(dice, [1, 500, 5_000]);
            dice.below(longest)
        };
        let (hold, cold) = (time(), time());
        let limit = dice.chance(4).then(|| dice.below(2_000));
        Plan { signals, hold, cold, limit }
    }

    /// As the daemon is told.
    fn task(&self, file: &Path) -> String {
        let limit = self.limit.map_or("none".into(), |limit| limit.to_string());
        format!("{} {} {limit} {}", self.hold, self.cold, file.display())
    }
}

fn pick(dice: &mut Dice, of: [u64; 3]) -> u64 {
    of[usize::try_from(dice.below(3)).unwrap()]
}

/// The daemon, from here on.
fn daemon(task: &str) -> ! {
    let words: Vec<&str> = task.splitn(4, ' ').collect();
    let time = |word: &str| word.parse().ok().map(Duration::from_micros);
    let (hold, cold) = (time(words[0]).unwrap(), time(words[1]).unwrap());
    let mut shutdown = Shutdown::new().exit_code(CODE);
    if let Some(limit) = time(words[2]) {
        shutdown = shutdown.within(limit);
    }
    let code = shutdown.run(|guard| {
        serve(guard, Path::new(words[3]), cold)?;
        std::thread::sleep(hold); // the clean-up
        Ok::<_, io::Error>(stopruntime::check()?)
    });
    std::process::exit(if code == ExitCode::from(CODE) { CODE.into() } else { 1 })
}

#[stoppable]
fn serve(guard: &Guard, file: &Path, cold: Duration) -> io::Result<()> {
    let ledger = Arc::new(Mutex::new(File::create(file)?));
    guard.sync(ledger.lock().unwrap().try_clone()?);
    let last = ledger.clone();
    guard.on_cold(move || {
        // What is being written is written to its end, and nothing after it.
        std::mem::forget(last.lock().unwrap());
        std::thread::sleep(cold);
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    say(&listener.local_addr()?.port().to_string());
    let mut sessions = Group::under(&Stopper::current());
    loop {
        #[blocking]
        let (stream, _) = listener.accept()?;
        let ledger = ledger.clone();
        sessions.spawn(move || session(&stream, &ledger));
    }
    sessions.join_all();
    Ok(())
}

#[stoppable]
fn session(mut stream: &TcpStream, ledger: &Mutex<File>) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        #[blocking]
        let length = lines.read_line(&mut line)?;
        if length == 0 {
            return Ok(());
        }
        let mut ledger = ledger.lock().unwrap();
        // In pieces, so that it can be cut.
        for piece in line.as_bytes().chunks(16) {
            ledger.write_all(piece)?;
        }
        drop(ledger);
        stream.write_all(b"ok\n")?;
    }
    stream.write_all(b"bye\n")
}

fn record(client: usize, number: usize) -> String {
    let mut record = format!("{client} {number} ");
    (0..number % 60).for_each(|letter| write!(record, "{}", letter % 10).unwrap());
    record + ".\n"
}

/// Sends one record after the other; how many were acknowledged.
fn client(port: u16, client: usize) -> usize {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return 0 };
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut is_acknowledged = |number| {
        stream.write_all(record(client, number).as_bytes()).is_ok()
            && matches!(answers.next(), Some(Ok(answer)) if answer == "ok")
    };
    (0..usize::MAX).take_while(|number| is_acknowledged(*number)).count()
}

/// How many records of each client are in the file, each whole and after the one before it;
/// and what is left of one that was cut.
fn census(file: &str) -> ([usize; CLIENTS], &str) {
    let whole = file.rfind('\n').map_or(0, |end| end + 1);
    let mut counts = [0; CLIENTS];
    for line in file[..whole].split_inclusive('\n') {
        let client: usize = line.split(' ').next().unwrap().parse().expect("a client");
        assert_eq!(line, record(client, counts[client]));
        counts[client] += 1;
    }
    (counts, &file[whole..])
}

/// How it has ended, if what it has left agrees with that.
fn check(
    plan: &Plan,
    status: ExitStatus,
    acknowledged: [usize; CLIENTS],
    file: &str,
) -> &'static str {
    let sent = |number: i32| plan.signals.iter().any(|(signal, _)| *signal as i32 == number);
    // The limit counts as a signal.
    let count = plan.signals.len() + usize::from(plan.limit.is_some());
    let (written, rest) = census(file);
    // Of a client one record at most is written whose acknowledgement it has not had.
    let kept = |at: usize| (acknowledged[at]..=acknowledged[at] + 1).contains(&written[at]);
    assert!((0..CLIENTS).all(kept), "acknowledged {acknowledged:?}, written {written:?}");
    match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(CODE) => {
            assert_eq!((written, rest), (acknowledged, ""));
            "warm"
        }
        (Some(code), _) => {
            assert!(sent(code - 128) && count >= 2, "exit code {code}");
            assert_eq!(rest, "", "a record is cut");
            "cold"
        }
        (None, signal) => {
            assert!(signal.is_some_and(sent) && count >= 3, "{status}");
            "killed"
        }
    }
}

per_backend! {
    fn nothing_acknowledged_is_lost_and_the_status_is_right() {
        if let Some(task) = task() {
            daemon(&task);
        }
        let directory = Directory::new().unwrap();
        let file = directory.join("ledger");
        let mut dice = Dice::new();
        let mut ends = BTreeMap::new();
        let mut total = 0;
        let runs = runs(100);
        for run in 0..runs {
            let plan = Plan::new(&mut dice);
            let mut daemon = Daemon::start_with(&plan.task(&file));
            let port = daemon.line().parse().unwrap();
            let (status, acknowledged) = std::thread::scope(|scope| {
                let clients: Vec<_> =
                    (0..CLIENTS).map(|at| scope.spawn(move || client(port, at))).collect();
                for (signal, longest) in &plan.signals {
                    dice.spin(*longest);
                    daemon.signal(*signal);
                }
                let status = daemon.ends();
                let mut acknowledged = [0; CLIENTS];
                for (place, client) in acknowledged.iter_mut().zip(clients) {
                    *place = client.join().unwrap();
                }
                (status, acknowledged)
            });
            eprintln!("run {run}: {plan:?}: {status}, {acknowledged:?}");
            let end = check(&plan, status, acknowledged, &fs::read_to_string(&file).unwrap());
            *ends.entry(end).or_insert(0) += 1;
            total += acknowledged.iter().sum::<usize>();
        }
        println!("{runs} runs: {ends:?}, {total} records acknowledged");
        // As often as that, each of them comes, also on a machine of another pace.
        assert!(runs < 500 || ends.len() == 3 && total > 0, "{ends:?}");
    }
}
