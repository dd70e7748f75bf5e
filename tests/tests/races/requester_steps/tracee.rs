//! The tracee: pairs of a thread and its requester, one after the other.

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stop_tests::proc::rest;
use stop_tests::ptrace::trap;
use stop_tests::signals::{STOP, catch, errno, plain_read, plain_write};
use stop_tests::thread_id;
use stop_tests::tracee::Line;
use stopruntime::ext::ReadOrStop;
use stopruntime::sync::Semaphore;
use stopruntime::{Stopped, shield, thread};

/// What the thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// A marked read, then an unmarked poll.
    Reads,
    /// A marked wait on its flag, for a permit, then an unmarked poll.
    Acquires,
    /// Told to, such a wait between two traps.
    BeginsToAcquire,
    /// Told to, a marked read under a shield, which the kernel never restarts.
    Receives,
    /// Told to, a marked read between two traps.
    Traps,
    /// Told to, a trap, and its end.
    Ends,
}

/// What it came to: `b'x'` read, `b's'` stopped, `b'?'` failed; and the result
/// of the poll, 0 also if a signal is left. Then whether a request's signal was handed on.
pub(super) type Outcome = [u8; 3];

pub(super) const READ: u8 = b'x';
pub(super) const STOPPED: u8 = b's';

static CHAINED: AtomicBool = AtomicBool::new(false);

/// Was there before the runtime.
extern "C" fn earlier(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    CHAINED.store(true, Ordering::SeqCst);
}

/// Tracee: what is there for one thread.
struct Pair {
    handle: thread::JoinHandle<[u8; 2]>,
    requester: Option<std::thread::JoinHandle<()>>,
    gate: PipeWriter,
    request: PipeWriter,
    data: UnixStream,
    permits: Arc<Semaphore>,
    quiet: PipeWriter,
    _kept: PipeReader,
}

impl Pair {
    fn new(does: Does) -> (Pair, [i32; 2]) {
        let (sender, receiver) = mpsc::channel();
        let tids = sender.clone();
        let (told, gate) = pipe().unwrap();
        let (reader, quiet) = pipe().unwrap();
        let (data, marked) = UnixStream::pair().unwrap();
        let kept = reader.try_clone().unwrap();
        let permits = Arc::new(Semaphore::new(0));
        let wanted = Arc::clone(&permits);
        let handle = thread::spawn(move || {
            // From here on it has what a signal needs.
            assert!(stopruntime::check().is_ok());
            tids.send(thread_id()).unwrap();
            run(does, &told, marked, &wanted, &reader)
        });
        let thread = receiver.recv().unwrap();
        let stopper = handle.stopper();
        let (told, request) = pipe().unwrap();
        let requester = std::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            plain_read(told.as_raw_fd()).unwrap();
            trap();
            stopper.request_stop();
            trap();
        });
        let ids = [thread, receiver.recv().unwrap()];
        let requester = Some(requester);
        (Pair { handle, requester, gate, request, data, permits, quiet, _kept: kept }, ids)
    }
}

fn run(
    does: Does,
    told: &PipeReader,
    mut marked: UnixStream,
    permits: &Semaphore,
    quiet: &PipeReader,
) -> [u8; 2] {
    let acquire = || if permits.acquire_or_stop().is_ok() { READ } else { STOPPED };
    let letter = |outcome: Result<std::io::Result<usize>, Stopped>| match outcome {
        Ok(Ok(1)) => READ,
        Ok(_) => b'?',
        Err(_) => STOPPED,
    };
    match does {
        Does::Reads => {
            let outcome = letter(marked.read_or_stop(&mut [0]));
            let polled = poll_readable(quiet);
            // The requester has come to its end, and its signal is gone with it.
            [outcome, u8::from(polled == Ok(1) && rest(thread_id()).pending == 0)]
        }
        Does::Acquires => {
            let outcome = acquire();
            let polled = poll_readable(quiet);
            [outcome, u8::from(polled == Ok(1) && rest(thread_id()).pending == 0)]
        }
        Does::BeginsToAcquire => {
            plain_read(told.as_raw_fd()).unwrap();
            trap();
            let outcome = acquire();
            trap();
            [outcome, 1]
        }
        Does::Receives => {
            // With a time-out the kernel never restarts it (signal(7)).
            marked.set_read_timeout(Some(Duration::from_secs(1_000))).unwrap();
            plain_read(told.as_raw_fd()).unwrap();
            [letter(shield(|| marked.read_or_stop(&mut [0]))), 1]
        }
        Does::Traps => {
            plain_read(told.as_raw_fd()).unwrap();
            trap();
            let outcome = letter(marked.read_or_stop(&mut [0]));
            trap();
            [outcome, 1]
        }
        Does::Ends => {
            plain_read(told.as_raw_fd()).unwrap();
            trap();
            [READ, 1]
        }
    }
}

/// poll(2), which the kernel never restarts.
fn poll_readable(reader: &PipeReader) -> Result<i32, i32> {
    let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    let ready = unsafe { libc::poll(&raw mut entry, 1, -1) };
    if ready < 0 { Err(errno()) } else { Ok(ready) }
}

/// Tracee: does what the tracer says.
pub(super) fn serve(mut line: Line, does: Does) {
    catch(STOP, earlier, libc::SA_RESTART, &[]);
    let mut current = None;
    while let Some(command) = line.next_command() {
        if command == b'n' {
            let (pair, ids) = Pair::new(does);
            current = Some(pair);
            line.send(&[command]);
            for id in ids {
                line.send_number(id);
            }
            continue;
        }
        if command == b's' {
            let put_back = libc::pthread_setspecific as *const () as usize;
            line.send(&[command]);
            line.send(&put_back.to_ne_bytes());
            continue;
        }
        let pair = current.as_mut().expect("a pair");
        match command {
            b'g' => assert!(plain_write(pair.gate.as_raw_fd())),
            b'r' => assert!(plain_write(pair.request.as_raw_fd())),
            b'd' => {
                pair.data.write_all(b"x").unwrap();
                pair.permits.release();
            }
            b'p' => assert!(plain_write(pair.quiet.as_raw_fd())),
            b'a' => assert!(pair.handle.request_stop()),
            _ => {}
        }
        if command == b'e' {
            pair.requester.take().expect("once").join().unwrap();
        }
        line.send(&[command]);
        if command == b'j' {
            let pair = current.take().expect("a pair");
            let [read, poll] = pair.handle.join().unwrap();
            line.send(&[read, poll, CHAINED.load(Ordering::SeqCst).into()]);
        }
    }
}
