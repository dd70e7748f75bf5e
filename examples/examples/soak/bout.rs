//! One bout: a process in which threads that make one kind of call are stopped
//! at random moments, over and over, until its time is over.

use crate::aside::{self, Aside};
use crate::calls::Call;
use crate::pester::{self, Door};
use crate::tally::Tally;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use stopruntime::Stopped;
use stopruntime::thread::{self, JoinHandle};

/// Only a lost request or a lost result takes this long.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(30);

/// Runs the call in this process for this long and prints the tally.
pub(crate) fn run(call: &Call, time: Duration) -> ! {
    aside::prepare();
    // Short time-outs of the unmarked calls are to be short: prctl(2).
    let _ = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1));
    let (over, is_over) = mpsc::channel::<()>();
    // The calls of the controller are plain ones: if a result is lost to them,
    // one of them may wait for ever.
    let watchdog = std::thread::spawn(move || {
        if is_over.recv_timeout(time + WATCHDOG * 2) == Err(mpsc::RecvTimeoutError::Timeout) {
            let mut tally = Tally::new();
            tally.lost = 1;
            tally.note(format!("the bout does not end: {}", describe_threads()));
            print!("{tally}");
            std::process::exit(0);
        }
    });
    let before = open_descriptors();
    let mut bout = Bout {
        random: fastrand::Rng::new(),
        until: Instant::now() + time,
        tally: Tally::new(),
        given_up: false,
        pesters: call.is_foreign,
        knocks: 0,
    };
    if bout.pesters {
        pester::install();
    }
    if let Err(error) = (call.run)(&mut bout) {
        bout.fail(&format!("cannot be arranged: {error}"));
    }
    if !bout.given_up {
        let after = open_descriptors();
        bout.tally.leaked = after.abs_diff(before);
        bout.tally.unhandled = bout.knocks.abs_diff(pester::handled());
        drop(over);
        watchdog.join().expect("the watchdog does not panic");
    }
    print!("{}", bout.tally);
    // Threads that did not end are left behind.
    std::process::exit(0);
}

/// The state of a bout; its methods are what the calls are soaked with.
pub(crate) struct Bout {
    pub(crate) random: fastrand::Rng,
    pub(crate) tally: Tally,
    until: Instant,
    given_up: bool,
    /// Threads in regions are sent signals.
    pesters: bool,
    /// How many were sent.
    knocks: u64,
}

/// A thread to be stopped.
pub(crate) struct Target {
    handle: JoinHandle<Seen>,
    id: Arc<AtomicI32>,
    door: Option<Arc<Door>>,
    requested: Option<Instant>,
}

/// What a thread reports of itself.
struct Seen {
    began: Instant,
    past: Instant,
    aside_until: Instant,
    interrupted: u64,
    spurious: u64,
    failure: Option<io::Error>,
}

/// What a marked call came to, as the loops of the targets take it: stopped,
/// or the result.
pub(crate) type Outcome<T> = Result<io::Result<T>, Stopped>;

impl Bout {
    pub(crate) fn goes_on(&self) -> bool {
        !self.given_up && Instant::now() < self.until
    }

    /// Whether a thread was lost: it may hold what would be counted.
    pub(crate) fn gave_up(&self) -> bool {
        self.given_up
    }

    /// Starts a thread that makes marked calls until it is stopped. An error
    /// ends it too.
    pub(crate) fn start(
        &mut self,
        work: impl FnOnce(&mut Aside) -> io::Result<()> + Send + 'static,
    ) -> Target {
        let seed = self.random.u64(..);
        let id = Arc::new(AtomicI32::new(0));
        let own = Arc::clone(&id);
        let door = self.pesters.then(Door::new);
        let own_door = door.clone();
        let handle = thread::spawn(move || {
            own.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::Relaxed);
            own_door.iter().for_each(Door::take);
            let began = Instant::now();
            let mut aside = Aside::new(seed);
            let outcome = work(&mut aside);
            let (past, aside_until) = (Instant::now(), aside.until);
            aside.look_back();
            let Aside { interrupted, spurious, .. } = aside;
            Seen { began, past, aside_until, interrupted, spurious, failure: outcome.err() }
        });
        Target { handle, id, door, requested: None }
    }

    /// A random time: none, some instructions, some of a system call, or long
    /// enough for a thread to block.
    pub(crate) fn pause(&mut self) {
        let limit = match self.random.u8(0..8) {
            0..2 => return,
            2..4 => 1_500,
            4..6 => 12_000,
            6 => return std::thread::sleep(Duration::from_nanos(self.random.u64(0..60_000))),
            _ => return std::thread::yield_now(),
        };
        let span = Duration::from_nanos(self.random.u64(0..limit));
        let start = Instant::now();
        while start.elapsed() < span {
            core::hint::spin_loop();
        }
    }

    pub(crate) fn request(&mut self, target: &mut Target) {
        target.requested = Some(Instant::now());
        target.handle.request_stop();
        self.tally.stops += 1;
    }

    /// Waits for the end of a thread that has been requested to stop.
    pub(crate) fn end(&mut self, target: Target) {
        let Target { handle, id, requested, .. } = target;
        let seen = match handle.join_timeout(WATCHDOG) {
            Ok(Ok(seen)) => seen,
            Ok(Err(_panic)) => return self.fail("a thread panicked"),
            Err(_still_running) => {
                let id = id.load(Ordering::Relaxed);
                self.lose(&format!("thread {id} does not end: {}", describe_threads()));
                return;
            }
        };
        self.tally.interrupted += seen.interrupted;
        self.tally.spurious += seen.spurious;
        match seen.failure {
            None => {}
            Some(error) if error.kind() == ErrorKind::Interrupted => {
                self.tally.interrupted += 1;
                self.tally.note("a marked call failed with EINTR");
            }
            Some(error) => self.fail(&error.to_string()),
        }
        // The start of a thread and what it does aside are no part of a stop.
        if let Some(requested) = requested
            && requested > seen.began
            && requested > seen.aside_until
        {
            let latency = seen.past.saturating_duration_since(requested).as_nanos();
            self.tally.latency.add(u64::try_from(latency).unwrap_or(u64::MAX));
        }
    }

    /// Stops them all, each at a random moment.
    pub(crate) fn stop_all(&mut self, mut targets: Vec<Target>) {
        self.random.shuffle(&mut targets);
        for index in 0..targets.len() {
            self.pause();
            self.knock(&targets);
            let target = &mut targets[index];
            if target.requested.is_none() {
                self.request(target);
            }
        }
        for target in targets {
            if self.given_up {
                return;
            }
            self.end(target);
        }
    }

    /// Stops them all by one request, made or due at the instant that this returns.
    pub(crate) fn stop_together(
        &mut self,
        targets: Vec<Target>,
        request: impl FnOnce() -> Instant,
    ) {
        self.pause();
        let at = request();
        self.tally.stops += 1;
        for mut target in targets {
            if self.given_up {
                return;
            }
            target.requested = Some(at);
            self.end(target);
        }
    }

    /// Sends one of them a signal, or some.
    fn knock(&mut self, targets: &[Target]) {
        let at = self.random.usize(0..targets.len());
        let Some(door) = &targets[at].door else { return };
        for _ in 0..self.random.u8(0..4) {
            self.knocks += door.knock(self.random.usize(0..2));
        }
    }

    /// Waits for what other threads are to do; false, and counted, if they do
    /// not.
    pub(crate) fn wait_until(&mut self, what: &str, mut done: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + WATCHDOG;
        while !done() {
            if Instant::now() > deadline {
                self.lose(&format!("{what} does not happen: {}", describe_threads()));
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    /// Counts what is missing or there twice.
    pub(crate) fn balance(&mut self, what: &str, expected: u64, found: u64) {
        let difference = expected.abs_diff(found);
        self.tally.missing += difference;
        if difference != 0 {
            self.tally.note(format!("{what}: {found}, not {expected}"));
        }
    }

    pub(crate) fn fail(&mut self, reason: &str) {
        self.tally.failed += 1;
        self.tally.note(reason);
    }

    fn lose(&mut self, reason: &str) {
        self.tally.lost += 1;
        self.tally.note(reason);
        self.given_up = true;
    }
}

fn open_descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// Where each thread of this process is, by proc(5).
fn describe_threads() -> String {
    let mut text = String::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let _ = write!(text, "[{}", task.file_name().to_string_lossy());
        for file in ["syscall", "wchan"] {
            let content = fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let _ = write!(text, " {file} {}", content.trim());
        }
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        for line in status.lines() {
            if ["State:", "SigPnd:", "SigBlk:"].iter().any(|name| line.starts_with(name)) {
                let _ = write!(text, " {}", line.replace('\t', " "));
            }
        }
        text.push_str("] ");
    }
    text
}
