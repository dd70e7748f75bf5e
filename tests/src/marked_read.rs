//! A child whose threads make one marked read each, between two traps, while
//! a tracer meets them on the way.

use crate::proc::rest;
use crate::ptrace::trap;
use crate::signals::{STOP, catch, is_masked, plain_read, plain_write, waiting};
use crate::thread_id;
use crate::tracee::Line;
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, mpsc};
use stopruntime::ext::ReadOrStop;
use stopruntime::thread::{self, JoinHandle};
use stopruntime::{Stopped, Stopper, shield, testing};

/// A marked read, then a second one if a stop is requested: `b'x'` the byte,
/// `b's'` stopped, `b'-'` not made, `b'?'` anything else. Then the number of
/// bytes that are still in the pipe.
pub type Outcome = [u8; 3];

/// The thread that handlers ask to request, and by what they do.
static CURRENT: Mutex<Option<Stopper>> = Mutex::new(None);
static ASK: AtomicI32 = AtomicI32::new(-1);
static ANSWER: AtomicI32 = AtomicI32::new(-1);

/// Whether a request's signal came to the handler that was there before ours.
static CHAINED: AtomicBool = AtomicBool::new(false);

/// Was there before the runtime.
extern "C" fn earlier(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel's siginfo, handed on; a stray one is the tracer's.
    if unsafe { (*info).si_pid() } == std::process::id().cast_signed() {
        CHAINED.store(true, Ordering::SeqCst);
    }
}

extern "C" fn requests(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    Stopper::current().request_stop();
}

extern "C" fn waits(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let asked = plain_write(ASK.load(Ordering::SeqCst));
    if !asked || plain_read(ANSWER.load(Ordering::SeqCst)) != Ok(1) {
        std::process::abort();
    }
}

/// One thread's marked read and its pipes.
struct OneRead {
    handle: JoinHandle<[u8; 2]>,
    gate: PipeWriter,
    data_in: PipeWriter,
    data: PipeReader,
}

impl OneRead {
    fn new(traced_to_the_end: bool, shielded: bool) -> (OneRead, i32) {
        let (sender, receiver) = mpsc::channel();
        let (opened, gate) = pipe().unwrap();
        let (data, data_in) = pipe().unwrap();
        let mut marked = data.try_clone().unwrap();
        let handle = thread::spawn(move || {
            // Its record is in use, so that the trace shows the call alone.
            assert!(stopruntime::check().is_ok());
            sender.send(thread_id()).unwrap();
            plain_read(opened.as_raw_fd()).unwrap();
            let mut read = || {
                trap();
                let first = marked.read_or_stop(&mut [0]);
                if traced_to_the_end {
                    trap();
                }
                first
            };
            let first = if shielded { shield(read) } else { read() };
            let second = stopruntime::stop_requested().then(|| marked.read_or_stop(&mut [0]));
            // No trace of the signal: neither held off for ever nor to come.
            let held_off = stopruntime::backend() == stopruntime::Backend::Ppoll;
            assert_eq!(is_masked(STOP), held_off);
            assert_eq!(rest(thread_id()).pending, 0);
            assert!(
                !CHAINED.load(Ordering::SeqCst),
                "a request's signal reaches no earlier handler"
            );
            [letter(Some(&first)), letter(second.as_ref())]
        });
        let thread = receiver.recv().unwrap();
        *CURRENT.lock().unwrap() = Some(handle.stopper());
        (OneRead { handle, gate, data_in, data }, thread)
    }
}

fn letter(read: Option<&Result<std::io::Result<usize>, Stopped>>) -> u8 {
    match read {
        None => b'-',
        Some(Err(_)) => b's',
        Some(Ok(Ok(1))) => b'x',
        Some(Ok(_)) => b'?',
    }
}

/// Does what the tracer says.
pub fn serve(mut line: Line) {
    catch(STOP, earlier, libc::SA_RESTART, &[]);
    let windows = if stopruntime::backend() == stopruntime::Backend::Ppoll {
        Vec::new()
    } else {
        testing::windows()
    };
    line.send_number(i32::try_from(windows.len()).unwrap());
    for (start, length, _) in windows {
        line.send(&start.to_ne_bytes());
        line.send(&(start + length).to_ne_bytes());
    }
    catch(libc::SIGUSR1, requests, libc::SA_RESTART, &[]);
    catch(libc::SIGUSR2, waits, libc::SA_RESTART, &[]);
    let (asked, ask) = pipe().unwrap();
    let (answered, answer) = pipe().unwrap();
    ASK.store(ask.as_raw_fd(), Ordering::SeqCst);
    ANSWER.store(answered.as_raw_fd(), Ordering::SeqCst);
    std::thread::spawn(move || {
        while plain_read(asked.as_raw_fd()) == Ok(1) {
            CURRENT.lock().unwrap().as_ref().map(Stopper::request_stop);
            assert!(plain_write(answer.as_raw_fd()));
        }
    });
    let is_of = |test: &str| std::env::args().any(|name| name.contains(test));
    let traced_to_the_end = !is_of("after_a_stop_of_the_process");
    let shielded = is_of("under_a_shield");
    let mut current = None;
    while let Some(command) = line.next_command() {
        if command == b'n' {
            let (read, thread) = OneRead::new(traced_to_the_end, shielded);
            current = Some(read);
            line.send(&[command]);
            line.send_number(thread);
            continue;
        }
        let read = current.as_ref().expect("a thread");
        match command {
            b'g' => assert!(plain_write(read.gate.as_raw_fd())),
            b'w' => assert!(plain_write(read.data_in.as_raw_fd())),
            b'r' => assert!(read.handle.request_stop()),
            // Perhaps once more.
            b'a' => _ = read.handle.request_stop(),
            _ => {}
        }
        line.send(&[command]);
        if command == b'j' {
            // All of it lives on: without a writer, the read would end.
            let OneRead { handle, data, data_in: _writer, gate: _gate } =
                current.take().expect("a thread");
            let [first, second] = handle.join().unwrap();
            line.send(&[first, second, u8::try_from(waiting(&data)).unwrap()]);
        }
    }
}
