//! Scopes: threads enter and leave jobs, limits and shields at random, inside of each
//! other, while others stop the jobs, at once or at a time. A call that is stopped stands
//! in a scope that is; a limit passes in its time and not before; and a thread that has
//! left them all goes on as if nothing had been.

use super::Call;
use crate::aside::Aside;
use crate::bout::{Bout, Outcome};
use std::io::{self, PipeReader, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stopruntime::ext::{self, ReadOrStop};
use stopruntime::{Stopped, Stopper, TimedOut, check, shield, stop_requested, sync, within};

pub(super) const CALLS: &[Call] = &[
    Call::new("scopes: read (pipe)", |bout| {
        let (reader, writer) = io::pipe()?;
        let (given, taken) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
        let (theirs, counted) = (Arc::new(reader), Arc::clone(&taken));
        let call = move |waits: bool| read(&theirs, &counted, waits);
        soak(bout, call, || {
            let _ = (&writer).write_all(&[0]);
            given.fetch_add(1, Ordering::Relaxed);
        });
        let left = bytes_in(&writer)?;
        let taken = taken.load(Ordering::Relaxed);
        bout.tally.effects += taken;
        bout.balance("bytes", given.load(Ordering::Relaxed), taken + left);
        Ok(())
    }),
    Call::new("scopes: sleep", |bout| {
        soak(bout, |waits| Ok(Ok(ext::sleep_or_stop(if waits { HOUR } else { MOMENT })?)), || ());
        Ok(())
    }),
    Call::new("scopes: Mutex::lock", |bout| {
        let mutex = Arc::new(sync::Mutex::new(()));
        let held = Arc::clone(&mutex);
        let _guard = held.lock();
        let call = move |waits: bool| {
            if waits {
                drop(mutex.lock_or_stop()?);
            } else {
                check()?;
            }
            Ok(Ok(()))
        };
        soak(bout, call, || ());
        Ok(())
    }),
    Call::new("scopes: park", |bout| {
        let call = |waits: bool| {
            if waits {
                ext::park_or_stop()?;
            } else {
                ext::park_timeout_or_stop(MOMENT)?;
            }
            Ok(Ok(()))
        };
        soak(bout, call, || ());
        Ok(())
    }),
];

const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_micros(20);
/// A stop that comes later than this is counted as late.
const LATE: Duration = Duration::from_secs(5);
const DEEPEST: usize = 12;

fn read(reader: &PipeReader, taken: &AtomicU64, waits: bool) -> Outcome<()> {
    // There may be nothing for a call that nothing stops.
    if !waits {
        return check().map(Ok);
    }
    let result = { reader }.read_or_stop(&mut [0])?;
    taken.fetch_add(result.is_ok().into(), Ordering::Relaxed);
    Ok(result.map(drop))
}

/// What the pipe still holds.
fn bytes_in(writer: &io::PipeWriter) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(writer)?)
}

/// Jobs that threads run under, some of them under each other. A job that was stopped is
/// replaced, so that there is always one that is not.
struct Jobs(Mutex<Vec<Stopper>>);

impl Jobs {
    fn pick(&self, number: usize) -> Stopper {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs[number % jobs.len()].clone()
    }

    fn replace(&self, number: usize, job: Stopper) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = number % jobs.len();
        jobs[number] = job;
    }
}

/// What a thread is in, as it knows itself.
enum Frame {
    Job(Stopper),
    Limit(Instant),
    Shield,
}

enum End {
    Stopped,
    TimedOut,
    Failed(io::Error),
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> End {
        End::Stopped
    }
}

impl From<TimedOut> for End {
    fn from(_: TimedOut) -> End {
        End::TimedOut
    }
}

/// What went wrong, over all threads of a bout.
#[derive(Default)]
struct Faults {
    unasked: AtomicU64,
    unseen: AtomicU64,
    early: AtomicU64,
    late: AtomicU64,
    left: AtomicU64,
    limits: AtomicU64,
}

/// A thread of the bout.
struct Walker<'a, C> {
    own: Stopper,
    /// What it does it does in this one.
    root: Stopper,
    frames: Vec<Frame>,
    jobs: &'a Jobs,
    faults: &'a Faults,
    call: &'a C,
    aside: &'a mut Aside,
}

impl<C: Fn(bool) -> Outcome<()>> Walker<'_, C> {
    /// The frames that are visible, and whether the thread's own scope is.
    fn visible(&self) -> (&[Frame], bool) {
        let shield = self.frames.iter().rposition(|frame| matches!(frame, Frame::Shield));
        (&self.frames[shield.map_or(0, |at| at + 1)..], shield.is_none())
    }

    fn is_stopped(&self) -> bool {
        let now = Instant::now();
        let passed = |frame: &Frame| matches!(frame, Frame::Limit(limit) if *limit <= now);
        self.is_requested() || self.visible().0.iter().any(passed)
    }

    fn is_requested(&self) -> bool {
        let (frames, own) = self.visible();
        let requested = |frame: &Frame| matches!(frame, Frame::Job(job) if job.stop_requested());
        own && self.own.stop_requested() || frames.iter().any(requested)
    }

    /// Whether something that is visible will be stopped without fail.
    fn ends(&self) -> bool {
        let (frames, own) = self.visible();
        own || frames.iter().any(|frame| matches!(frame, Frame::Limit(_)))
    }

    fn call(&mut self) -> Result<(), End> {
        // What it knows of a request, its next call knows. (A limit passes a moment after
        // the time that the thread has noted.)
        let requested = self.is_requested() && stop_requested();
        let outcome = (self.call)(self.ends());
        match outcome {
            Err(Stopped { .. }) => {
                self.faults.unasked.fetch_add((!self.is_stopped()).into(), Ordering::Relaxed);
                let now = Instant::now();
                let passed = self.visible().0.iter().filter_map(|frame| match frame {
                    Frame::Limit(limit) => now.checked_duration_since(*limit),
                    _ => None,
                });
                let late = passed.max().is_some_and(|late| late > LATE);
                self.faults.late.fetch_add(late.into(), Ordering::Relaxed);
                Err(End::Stopped)
            }
            Ok(result) => {
                self.faults.unseen.fetch_add(requested.into(), Ordering::Relaxed);
                result.map_err(End::Failed)
            }
        }
    }

    fn inside<R>(&mut self, frame: Frame, walk: impl FnOnce(&mut Self) -> R) -> R {
        self.frames.push(frame);
        let result = walk(self);
        self.frames.pop();
        result
    }

    /// Some calls and some scopes with the like in them.
    fn walk(&mut self) -> Result<(), End> {
        for _ in 0..self.aside.random().u8(1..4) {
            let deep = self.frames.len() >= DEEPEST;
            match if deep { 9 } else { self.aside.random().u8(0..10) } {
                0..3 => {
                    let job = self.jobs.pick(self.aside.random().usize(..));
                    let result = job.run(|| self.inside(Frame::Job(job.clone()), Self::walk));
                    self.pass(result)?;
                }
                3..5 => {
                    let result = self.limited();
                    self.pass(result)?;
                }
                5 => {
                    let result = shield(|| self.inside(Frame::Shield, Self::walk));
                    self.pass(result)?;
                }
                6 => self.aside.look(),
                _ => self.call()?,
            }
        }
        Ok(())
    }

    fn limited(&mut self) -> Result<(), End> {
        let most = if self.aside.random().bool() { 1_000_000 } else { 50_000 };
        let limit = Duration::from_nanos(self.aside.random().u64(0..most));
        let at = Instant::now() + limit;
        self.faults.limits.fetch_add(1, Ordering::Relaxed);
        let result = within(limit, || self.inside(Frame::Limit(at), Self::walk));
        if matches!(result, Err(End::TimedOut)) {
            self.faults.early.fetch_add((Instant::now() < at).into(), Ordering::Relaxed);
        }
        result
    }

    /// What leaves a scope: it ends what is around it only if that is stopped too, and not
    /// as the time-out of a limit that was left.
    fn pass(&self, result: Result<(), End>) -> Result<(), End> {
        match result {
            Err(End::Stopped | End::TimedOut) if self.is_stopped() => Err(End::Stopped),
            Err(End::Stopped | End::TimedOut) => Ok(()),
            result => result,
        }
    }

    /// Until it is stopped.
    fn run(&mut self) -> io::Result<()> {
        loop {
            let root = self.root.clone();
            let result = root.run(|| self.inside(Frame::Job(root.clone()), Self::walk));
            self.look_behind();
            match result {
                Err(End::Failed(error)) => return Err(error),
                _ if self.own.stop_requested() || root.stop_requested() => return Ok(()),
                _ => {}
            }
        }
    }

    /// In no scope: nothing is left of those that there were.
    fn look_behind(&self) {
        let left = check().is_err() && !self.own.stop_requested() || signal_is_pending();
        self.faults.left.fetch_add(left.into(), Ordering::Relaxed);
    }
}

fn signal_is_pending() -> bool {
    let mut pending = core::mem::MaybeUninit::uninit();
    // SAFETY: a place for the set; a set that the call has written.
    unsafe {
        libc::sigpending(pending.as_mut_ptr()) == 0
            && libc::sigismember(pending.as_ptr(), libc::SIGURG) == 1
    }
}

fn soak<C>(bout: &mut Bout, call: C, feed: impl Fn())
where
    C: Fn(bool) -> Outcome<()> + Clone + Send + 'static,
{
    let faults = Arc::new(Faults::default());
    while bout.goes_on() {
        let root = Stopper::new();
        let jobs = Arc::new(Jobs(Mutex::new((0..4).map(|_| Stopper::new()).collect())));
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..5) {
            let (jobs, faults, call) = (Arc::clone(&jobs), Arc::clone(&faults), call.clone());
            let root = root.clone();
            targets.push(bout.start(move |aside| {
                // A park that was stopped may leave a token.
                aside.parks = false;
                let (own, frames) = (Stopper::current(), Vec::new());
                let (jobs, faults, call) = (&*jobs, &*faults, &call);
                Walker { own, root, frames, jobs, faults, call, aside }.run()
            }));
        }
        for _ in 0..bout.random.u8(1..100) {
            bout.pause();
            feed();
            stop_one(bout, &jobs);
        }
        match bout.random.u8(0..3) {
            0 => bout.stop_all(targets),
            1 => bout.stop_together(targets, || {
                let at = Instant::now();
                root.request_stop();
                at
            }),
            _ => bout.stop_together(targets, || {
                let at = Instant::now() + MOMENT;
                root.request_stop_at(at);
                at
            }),
        }
    }
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    bout.tally.effects += count(&faults.limits);
    bout.balance("stops in scopes that were not stopped", 0, count(&faults.unasked));
    bout.balance("calls that were made in stopped scopes", 0, count(&faults.unseen));
    bout.balance("limits that passed before their time", 0, count(&faults.early));
    bout.balance("stops that were late", 0, count(&faults.late));
    bout.balance("flags and signals left behind", 0, count(&faults.left));
}

/// Stops a job in one of the ways there are, and puts another one in its place: often one
/// that stands under another.
fn stop_one(bout: &mut Bout, jobs: &Jobs) {
    let number = bout.random.usize(..);
    let job = jobs.pick(number);
    match bout.random.u8(0..4) {
        0 => {
            let time = Duration::from_nanos(bout.random.u64(0..200_000));
            job.request_stop_at(Instant::now() + time);
        }
        1 => drop(job.request_stop_because("soaked")),
        _ => drop(job.request_stop()),
    }
    bout.tally.stops += 1;
    let other = jobs.pick(bout.random.usize(..));
    jobs.replace(number, if bout.random.bool() { other.child() } else { Stopper::new() });
}
