//! The tracee: pairs of a thread and a requester, one after the other.

use std::cell::Cell;
use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::proc::rest;
use stop_tests::ptrace::trap;
use stop_tests::signals::{errno, plain_read, plain_write};
use stop_tests::thread_id;
use stop_tests::tracee::Line;
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::{Stopped, Stopper, TimedOut, check, shield, thread, within};

/// What a thread does, and the tracer's part in it.
pub(super) type Program = fn(&Kit) -> u8;

/// How a thread's last wait came out.
pub(super) const READ: u8 = b'x';
pub(super) const STOPPED: u8 = b's';

/// Short enough that a test may wait for it at each instruction.
pub(super) const SHORT: Duration = Duration::from_millis(15);
const SHORTER: Duration = Duration::from_millis(1);
const BETWEEN: Duration = Duration::from_millis(8);

/// What a thread has at hand.
pub(super) struct Kit {
    job: Stopper,
    told: PipeReader,
    data: UnixStream,
    quiet: PipeReader,
    /// How often it has begun to wait.
    waits: Arc<AtomicI32>,
    /// Whatever was not as it has to be.
    wrong: Cell<bool>,
}

impl Kit {
    /// Until the tracer says so.
    fn gate(&self) {
        self.waits.fetch_add(1, Ordering::SeqCst);
        assert_eq!(plain_read(self.told.as_raw_fd()), Ok(1));
    }

    /// A marked call.
    fn marked(&self) -> u8 {
        self.waits.fetch_add(1, Ordering::SeqCst);
        match (&self.data).read_or_stop(&mut [0]) {
            Ok(Ok(1)) => READ,
            Err(Stopped { .. }) => STOPPED,
            Ok(_) => b'?',
        }
    }

    /// An unmarked call that the kernel never restarts: poll(2).
    fn unmarked(&self) -> u8 {
        self.waits.fetch_add(1, Ordering::SeqCst);
        let events = libc::POLLIN;
        let mut entry = libc::pollfd { fd: self.quiet.as_raw_fd(), events, revents: 0 };
        // SAFETY: one entry, which outlives the call.
        let ready = unsafe { libc::poll(&raw mut entry, 1, -1) };
        if ready == 1 { READ } else { u8::try_from(errno()).unwrap() }
    }

    fn expect(&self, fine: bool) {
        self.wrong.set(self.wrong.get() || !fine);
    }
}

/// Makes the thread's flag say that it is to look, for nothing.
fn hint() {
    let stale = Stopper::new();
    stale.request_stop();
    stale.run(|| ());
}

// ---- held is the requester ----

/// A call of the scope that is requested, and one behind it.
pub(super) fn leaves(kit: &Kit) -> u8 {
    if kit.job.run(|| kit.marked()) == STOPPED {
        // The byte comes, or has come.
        kit.expect(plain_read(kit.data.as_raw_fd()) == Ok(1));
    }
    kit.marked()
}

/// Unmarked code in the scope, a look behind it, and a call.
pub(super) fn looks_behind(kit: &Kit) -> u8 {
    kit.job.run(|| kit.gate());
    kit.expect(check().is_ok());
    kit.marked()
}

/// The same, and once more unmarked code in the scope.
pub(super) fn returns(kit: &Kit) -> u8 {
    kit.expect(looks_behind(kit) == READ);
    kit.job.run(|| kit.unmarked())
}

/// Not in the scope at first, then in unmarked code of it.
pub(super) fn comes_late(kit: &Kit) -> u8 {
    kit.expect(kit.marked() == READ);
    kit.job.run(|| kit.unmarked())
}

/// Looks in the midst of a request, and goes on.
pub(super) fn looks_inside(kit: &Kit) -> u8 {
    kit.job.run(|| {
        kit.gate();
        let _ = check();
        kit.marked()
    })
}

/// Looks while another request is on its way, and is then asked.
pub(super) fn has_looked(kit: &Kit) -> u8 {
    hint();
    kit.job.run(|| {
        kit.gate();
        kit.expect(check().is_ok());
        kit.gate();
        kit.marked()
    })
}

// ---- held is the thread, between its traps ----

pub(super) fn opens(kit: &Kit) -> u8 {
    kit.gate();
    trap();
    kit.job.run(|| {
        trap();
        kit.marked()
    })
}

pub(super) fn closes(kit: &Kit) -> u8 {
    kit.gate();
    kit.job.run(trap);
    trap();
    kit.marked()
}

pub(super) fn unshields(kit: &Kit) -> u8 {
    kit.gate();
    kit.job.run(|| {
        shield(trap);
        trap();
        kit.marked()
    })
}

pub(super) fn looks(kit: &Kit) -> u8 {
    kit.gate();
    kit.job.run(|| {
        hint();
        trap();
        let _ = check();
        trap();
        kit.marked()
    })
}

pub(super) fn arms(kit: &Kit) -> u8 {
    kit.gate();
    trap();
    limited(SHORT, || {
        trap();
        kit.marked()
    })
}

pub(super) fn disarms(kit: &Kit) -> u8 {
    kit.gate();
    limited(SHORT, || {
        limited(SHORTER, || {
            trap();
            0
        });
        trap();
        kit.marked()
    })
}

// ---- held is the helper of deadlines ----

pub(super) fn times_out(kit: &Kit) -> u8 {
    kit.gate();
    limited(SHORT, || kit.marked())
}

fn limited(limit: Duration, body: impl FnOnce() -> u8) -> u8 {
    let result: Result<_, TimedOut> = within(limit, || Ok(body()));
    result.expect("no error in it")
}

/// What is there for one thread.
struct Pair {
    handle: thread::JoinHandle<[u8; 2]>,
    requester: Option<std::thread::JoinHandle<()>>,
    job: Stopper,
    gate: PipeWriter,
    request: PipeWriter,
    data: UnixStream,
    quiet: PipeWriter,
    waits: Arc<AtomicI32>,
}

impl Pair {
    fn new(program: Program, asks: Asks) -> (Pair, [i32; 2]) {
        let (sender, receiver) = mpsc::channel();
        let tids = sender.clone();
        let (told, gate) = pipe().unwrap();
        let (reader, quiet) = pipe().unwrap();
        let (data, marked) = UnixStream::pair().unwrap();
        // With a time-out the kernel never restarts a call (signal(7)).
        marked.set_read_timeout(Some(Duration::from_secs(1_000))).unwrap();
        let (job, waits) = (Stopper::new(), Arc::new(AtomicI32::new(0)));
        let (theirs, counted) = (job.clone(), Arc::clone(&waits));
        let handle = thread::spawn(move || {
            // From here on it has what a signal needs.
            assert!(check().is_ok());
            tids.send(thread_id()).unwrap();
            let (wrong, job, waits) = (Cell::new(false), theirs, counted);
            let kit = Kit { job, told, data: marked, quiet: reader, waits, wrong };
            let outcome = program(&kit);
            kit.gate();
            let clean = !kit.wrong.get() && rest(thread_id()).pending == 0;
            [outcome, u8::from(clean)]
        });
        let thread = receiver.recv().unwrap();
        let asked = match asks {
            Asks::Job => job.clone(),
            Asks::Thread => handle.stopper(),
            Asks::Another => Stopper::new(),
        };
        let (told, request) = pipe().unwrap();
        let requester = std::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            if plain_read(told.as_raw_fd()) != Ok(1) {
                // No tracer would take the trap.
                return;
            }
            trap();
            asked.request_stop();
            trap();
        });
        let ids = [thread, receiver.recv().unwrap()];
        let requester = Some(requester);
        (Pair { handle, requester, job, gate, request, data, quiet, waits }, ids)
    }
}

/// Limits of other threads.
fn limits(command: u8) {
    let sleep = || Ok::<_, std::io::Error>(sleep_or_stop(Duration::from_secs(1_000))?);
    if command == b'l' {
        // The helper plans for it.
        std::thread::spawn(move || assert!(within(BETWEEN, sleep).is_err()));
    } else {
        // It is woken for nothing.
        assert_eq!(limited(SHORTER, || 0), 0);
    }
}

/// What the requester that is held asks.
#[derive(Clone, Copy)]
pub(super) enum Asks {
    Job,
    Thread,
    Another,
}

/// Does what the tracer says.
pub(super) fn serve(mut line: Line, program: Program, asks: Asks) {
    let mut current = None;
    while let Some(command) = line.next_command() {
        if command == b'n' {
            let (pair, ids) = Pair::new(program, asks);
            current = Some(pair);
            line.send(&[command]);
            for id in ids {
                line.send_number(id);
            }
            continue;
        }
        if matches!(command, b'l' | b'h') {
            limits(command);
            line.send(&[command]);
            continue;
        }
        let pair = current.as_mut().expect("a pair");
        // A thread that does not wait for it may have ended.
        let _was_needed = match command {
            b'g' => plain_write(pair.gate.as_raw_fd()),
            b'p' => plain_write(pair.quiet.as_raw_fd()),
            b'd' => pair.data.write_all(b"x").is_ok(),
            b'j' => pair.job.request_stop(),
            b't' => pair.handle.request_stop(),
            b'r' => plain_write(pair.request.as_raw_fd()),
            b'e' => pair.requester.take().expect("once").join().is_ok(),
            _ => false,
        };
        line.send(&[command]);
        if command == b'w' {
            line.send_number(pair.waits.load(Ordering::SeqCst));
        }
        if command == b'o' {
            let pair = current.take().expect("a pair");
            drop(pair.request);
            if let Some(requester) = pair.requester {
                // Has not been told to begin.
                requester.join().unwrap();
            }
            line.send(&pair.handle.join().unwrap());
        }
    }
}
