//! A debugger that comes and goes, again and again, while threads make marked
//! calls and are stopped; and one that sends them signals exactly when they make
//! a system call. ptrace(2).

use super::flows::bouts;
use super::storms::{bouts_for, bouts_until};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use stop_tests::dice::{Dice, runs};
use stop_tests::per_backend;
use stop_tests::ptrace::{Event, Go, Traced};
use stop_tests::signals::send_to;
use stop_tests::timers::{BLOWS, count_blows};
use stop_tests::tracee::{Line, line_to_tracer, start};

/// The threads of a process at this moment.
fn threads(process: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

/// What meets the system calls, with this flag of sigaction(2).
const SIGNAL: i32 = libc::SIGUSR1;
/// Bouts with each kind of call.
const BOUTS: u64 = 6;

/// In the tracee: the bouts, in each of which the tracer is told of the thread
/// that makes the calls; then a 0, and how many signals it had.
fn bouts_met_by_signals(mut line: Line, flags: i32) {
    count_blows(SIGNAL, flags);
    bouts(runs(BOUTS), &mut Dice::new(), |thread| {
        line.send_number(thread);
        assert_eq!(line.next_command(), Some(b'g'), "the tracer has it");
    });
    line.send_number(0);
    line.send_number(BLOWS.load(Ordering::Relaxed).try_into().expect("not so many"));
    // Alive until the other side has seen it.
    assert_eq!(line.next_command(), None);
}

/// Any thread that the tracee names is met by a signal in its first system call
/// and in every other one after that, whatever they are: it is pending when the
/// call begins.
fn signals_at_system_calls(flags: i32) {
    if let Some(line) = line_to_tracer() {
        return bouts_met_by_signals(line, flags);
    }
    let (tracee, mut line) = start();
    let mut dice = Dice::new();
    let (mut sent, mut seized) = (0, 0);
    loop {
        let thread = line.receive_number();
        if thread == 0 {
            break;
        }
        let caller = Traced::seize(tracee.process(), thread);
        assert!(caller.interrupt());
        let mut event = caller.wait();
        line.send(b"g");
        seized += 1;
        let mut met = 0;
        while event != Event::Ended {
            if event == Event::Call && caller.is_entering_call() && (met == 0 || dice.chance(2)) {
                send_to(tracee.process(), thread, SIGNAL);
                met += 1;
            }
            caller.go(Go::ToCall, if let Event::Signal(signal) = event { signal } else { 0 });
            event = caller.wait();
        }
        assert!(met > 0, "thread {thread} made no system call");
        sent += met;
    }
    eprintln!("{} of {sent} signals handled", line.receive_number());
    assert!(seized > 0, "the tracee named no thread");
}

per_backend! {
    fn every_other_system_call_met_by_a_signal_that_restarts() {
        signals_at_system_calls(libc::SA_RESTART);
    }

    fn every_other_system_call_met_by_a_signal_that_interrupts() {
        signals_at_system_calls(0);
    }

    fn attached_interrupted_and_detached() {
        if let Some(line) = line_to_tracer() {
            return bouts_for(line);
        }
        let (tracee, mut line) = start();
        let (done, times) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (theirs, counted) = (Arc::clone(&done), Arc::clone(&times));
        let process = tracee.process();
        // A thread of its own, because only the tracer may do what it does.
        let tracer = std::thread::spawn(move || {
            let mut dice = Dice::new();
            while !theirs.load(Ordering::Relaxed) {
                // The newest is the one that makes the calls.
                let all = threads(process);
                let Some(thread) = all.last() else { continue };
                let is_met = attach_and_detach(process, *thread, &mut dice);
                counted.fetch_add(is_met.into(), Ordering::Relaxed);
                dice.spin(100_000);
            }
        });
        bouts_until(&mut line, || times.load(Ordering::Relaxed) > 10);
        done.store(true, Ordering::Relaxed);
        tracer.join().unwrap();
        eprintln!("attached {times:?} times");
    }
}

/// False if the thread has ended in between.
fn attach_and_detach(process: i32, thread: i32, dice: &mut Dice) -> bool {
    let Some(traced) = Traced::try_seize(process, thread) else { return false };
    if !traced.interrupt() {
        return traced.wait() != Event::Ended;
    }
    match traced.wait() {
        Event::Ended => return false,
        // Whatever it stopped for, a signal is handed on.
        Event::Signal(signal) => {
            dice.spin(10_000);
            traced.detach_with(signal);
        }
        Event::Trap | Event::Call | Event::Other => {
            dice.spin(10_000);
            traced.detach_with(0);
        }
    }
    true
}
