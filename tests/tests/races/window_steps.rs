//! A marked read is stepped through, instruction by instruction, and met at
//! each of them: by a request, by a stray stop signal, by a foreign handler
//! from which the request is made. A tracer does it to a child process.
//!
//! Not on the rseq backend: each step is a trap, which aborts the window, so
//! that a stepped one never ends; `window_injected` is for that.

#![cfg(target_arch = "x86_64")]

use stop_tests::dice::{Dice, runs};
use stop_tests::marked_read::{Outcome, serve as reads};
use stop_tests::proc::{asleep_in, wait_for, wait_for_state};
use stop_tests::ptrace::{Event, Go, Traced};
use stop_tests::signals::{STOP, send_to};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::way::Way;
use stop_tests::{everything, on_backends, per_backend};

const STOPPED: Outcome = [b's', b's', 0];
const STOPPED_BEFORE_DATA: Outcome = [b's', b's', 1];
const STOPPED_AFTER_DATA: Outcome = [b'x', b's', 0];
const NOT_STOPPED: Outcome = [b'x', b'-', 0];

/// What meets the stopped thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    Request,
    /// A foreign handler that requests.
    Handler,
    /// A foreign handler that waits while another thread requests.
    WaitingHandler,
    /// The stop signal, from outside, and no request.
    Stray,
}

/// The child, in which one thread after the other makes a marked read.
struct Steps {
    tracee: Tracee,
    line: Line,
    /// First instruction and end.
    windows: Vec<(usize, usize)>,
}

impl Steps {
    fn new() -> Steps {
        let (tracee, mut line) = start();
        let count = line.receive_number();
        let mut address = || usize::from_ne_bytes(line.receive());
        let windows = (0..count).map(|_| (address(), address())).collect();
        Steps { tracee, line, windows }
    }

    /// A new thread, stopped just before its marked read.
    fn thread(&mut self, with_data: bool) -> Traced {
        self.thread_that_is(with_data.then_some(b'w'))
    }

    /// The same; given its data or requested first.
    fn thread_that_is(&mut self, what: Option<u8>) -> Traced {
        self.line.command(b'n');
        let thread = Traced::seize(self.tracee.process(), self.line.receive_number());
        if let Some(what) = what {
            self.line.command(what);
        }
        self.line.command(b'g');
        assert_eq!(thread.wait(), Event::Trap);
        thread
    }

    /// The way of a marked read under a shield to the call that it sleeps in, and how it
    /// came out that it was met by this after so many instructions of it.
    fn shielded(&mut self, requested: bool, met: Option<(&Way, usize, Met)>) -> (Way, Outcome) {
        let thread = self.thread_that_is(requested.then_some(b'r'));
        let mut stopped = true;
        let mut addresses = vec![thread.pc()];
        if let Some((way, index, by)) = met {
            stopped = run_to(&thread, way, index);
            match by {
                Met::Request => self.line.command(b'a'),
                Met::Handler => send_to(thread.process(), thread.thread(), libc::SIGUSR1),
                Met::WaitingHandler => send_to(thread.process(), thread.thread(), libc::SIGUSR2),
                Met::Stray => send_to(thread.process(), thread.thread(), STOP),
            }
        } else {
            while stopped {
                stopped = step(&thread);
                addresses.extend(stopped.then(|| thread.pc()));
            }
        }
        let held = met.map(|(_, index, by)| (by, index));
        assert!(!thread.run(stopped, true), "ended under a shield: {held:?}");
        assert!(asleep_in(thread.thread()).is_some(), "neither asleep nor at its end: {held:?}");
        self.line.command(b'w');
        assert!(thread.run(false, false), "data does not end it: {held:?}");
        (Way::through(addresses, Traced::is_at_trap), self.outcome(thread))
    }

    /// The way of a marked read, to its end or to the call that it sleeps in.
    fn trace(&mut self, with_data: bool) -> Way {
        let thread = self.thread(with_data);
        let mut addresses = vec![thread.pc()];
        let mut awake = true;
        while !thread.is_at_trap() {
            awake = step(&thread);
            if !awake {
                break;
            }
            addresses.push(thread.pc());
        }
        self.line.command(b'r');
        assert!(thread.run(awake, false));
        self.outcome(thread);
        Way::through(addresses, Traced::is_at_trap)
    }

    /// A fresh marked read, met after this many instructions of its way, or in its sleep.
    fn met_at(&mut self, index: usize, way: &Way, with_data: bool, by: Met) -> Outcome {
        let thread = self.thread(with_data);
        let stopped = run_to(&thread, way, index);
        let (process, tid) = (thread.process(), thread.thread());
        match by {
            Met::Request => self.line.command(b'r'),
            Met::Handler => send_to(process, tid, libc::SIGUSR1),
            Met::WaitingHandler => send_to(process, tid, libc::SIGUSR2),
            Met::Stray => {
                send_to(process, tid, STOP);
                assert!(!thread.run(stopped, true), "{index}: ended by a stray signal");
                assert!(asleep_in(tid).is_some(), "{index}: neither asleep nor at its end");
                self.line.command(b'w');
                assert!(thread.run(false, false), "{index}: data does not end it");
                return self.outcome(thread);
            }
        }
        assert!(thread.run(stopped, false), "request lost at instruction {index}");
        self.outcome(thread)
    }

    /// Lets the thread end.
    fn outcome(&mut self, thread: Traced) -> Outcome {
        thread.detach();
        self.line.command(b'j');
        self.line.receive()
    }

    /// Where in the trace the window's `syscall` stands, if it has a window;
    /// proves that the trace holds the whole window.
    fn call_in(&self, trace: &[usize]) -> Option<usize> {
        let inside = |window: &&(usize, usize)| trace.contains(&window.0);
        let (first, end) = self.windows.iter().find(inside)?;
        let first_at = trace.iter().position(|pc| pc == first)?;
        let call_at = trace.iter().position(|pc| *pc == end - 2)?;
        assert!(first_at >= 4, "the stores before the window");
        assert_eq!(call_at, first_at + 2, "test, jump, call");
        Some(call_at)
    }
}

/// Runs it to this instruction of its way; false if it sleeps in the last one.
fn run_to(thread: &Traced, way: &Way, index: usize) -> bool {
    let last = way.addresses().len() - 1;
    way.run_to(thread, way.place(index.min(last)));
    index <= last || step(thread)
}

/// One instruction; false if it is a call that the thread now sleeps in.
fn step(thread: &Traced) -> bool {
    let calls = thread.is_at_call();
    thread.go(Go::Step, 0);
    let event = if calls { thread.wait_unless_asleep() } else { Some(thread.wait()) };
    assert!(matches!(event, None | Some(Event::Trap)), "{event:?}");
    event.is_some()
}

/// All of the handler backend's, unless it looks at its scopes on the way. The ppoll
/// backend's way is a hundred times as long, and its hazards are in few places: a random part of it (with
/// `STOP_TESTS=all` each 17th), all with `STOP_TESTS_STOPS`.
fn chosen(count: usize) -> Vec<usize> {
    let part = if everything() { 17 } else { 170 };
    let is_short = stopruntime::backend() == stopruntime::Backend::Handler && count < 300;
    if is_short || runs(0) != 0 {
        return (0..count).collect();
    }
    let mut dice = Dice::new();
    let from = usize::try_from(dice.below(part)).expect("small");
    (from..count).step_by(usize::try_from(part).expect("small")).chain([count - 1]).collect()
}

/// Meets a read that waits at each instruction to its sleep, in its sleep
/// included.
fn at_each_instruction(by: Met, expected: Outcome) {
    let mut steps = Steps::new();
    let way = steps.trace(false);
    let trace = way.addresses();
    if stopruntime::backend() == stopruntime::Backend::Handler {
        assert_eq!(steps.call_in(trace), Some(trace.len() - 1), "it sleeps in the window");
    }
    for index in chosen(trace.len() + 1) {
        assert_eq!(steps.met_at(index, &way, false, by), expected, "{by:?} at instruction {index}");
    }
    eprintln!("{by:?}: {} instructions", trace.len());
}

/// Meets a read whose byte is there at each instruction, to its end.
fn at_each_instruction_with_data(by: Met) {
    let mut steps = Steps::new();
    let way = steps.trace(true);
    let trace = way.addresses();
    let call = steps.call_in(trace);
    let mut stopped = 0;
    for index in chosen(trace.len()) {
        let outcome = steps.met_at(index, &way, true, by);
        let before = call.map_or(outcome[0] == b's', |call| index <= call);
        let expected = if before { STOPPED_BEFORE_DATA } else { STOPPED_AFTER_DATA };
        assert_eq!(outcome, expected, "{by:?} at instruction {index}");
        stopped += usize::from(before);
    }
    assert!(stopped > 0);
    eprintln!("{by:?}: {stopped} before the call, of {} instructions", trace.len());
}

/// Meets a read under a shield at each instruction to its sleep, in its sleep included:
/// nothing ends it, and the read behind the shield is stopped if there was a request.
fn at_each_instruction_under_a_shield(requested: bool, by: Met) {
    let mut steps = Steps::new();
    let (way, _) = steps.shielded(requested, None);
    let is_stopped = requested || by != Met::Stray;
    let expected = if is_stopped { STOPPED_AFTER_DATA } else { NOT_STOPPED };
    let count = way.addresses().len();
    for index in chosen(count + 1) {
        let (_, outcome) = steps.shielded(requested, Some((&way, index, by)));
        assert_eq!(outcome, expected, "{by:?} at instruction {index}");
    }
    eprintln!("{by:?}: {count} instructions");
}

on_backends! { ["handler", "ppoll"];
    fn a_request_under_a_shield() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction_under_a_shield(false, Met::Request),
        }
    }

    fn a_further_request_under_a_shield_that_holds_one() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction_under_a_shield(true, Met::Request),
        }
    }

    fn a_requesting_handler_under_a_shield_that_holds_a_request() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction_under_a_shield(true, Met::Handler),
        }
    }

    fn a_stray_signal_under_a_shield_that_holds_a_request() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction_under_a_shield(true, Met::Stray),
        }
    }

    fn a_request_at_each_instruction() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction(Met::Request, STOPPED),
        }
    }

    fn a_request_at_each_instruction_with_data() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction_with_data(
                Met::Request,
            ),
        }
    }

    fn a_requesting_handler_at_each_instruction() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction(
                Met::Handler,
                STOPPED,
            ),
        }
    }

    fn a_requesting_handler_at_each_instruction_with_data() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction_with_data(
                Met::Handler,
            ),
        }
    }

    fn a_waiting_handler_at_each_instruction() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction(
                Met::WaitingHandler,
                STOPPED,
            ),
        }
    }

    fn a_stray_signal_at_each_instruction() {
        match line_to_tracer() {
            Some(line) => reads(line),
            None => at_each_instruction(
                Met::Stray,
                NOT_STOPPED,
            ),
        }
    }
}

per_backend! {
    fn after_a_stop_of_the_process() {
        if let Some(line) = line_to_tracer() {
            return reads(line);
        }
        let mut steps = Steps::new();
        let process = steps.tracee.process();
        let signal = |signal| {
            // SAFETY: two integers, and the process is ours.
            assert_eq!(unsafe { libc::kill(process, signal) }, 0);
        };
        for run in 0..100 {
            let thread = steps.thread(false);
            let tid = thread.thread();
            thread.detach();
            // The first `trap` is behind it, the second one has no tracer any
            // more: this thread leaves it out.
            wait_for("the marked read", || asleep_in(tid).is_some());
            signal(libc::SIGSTOP);
            wait_for_state(tid, "T");
            if run % 2 == 0 {
                // Taken up when the process goes on, at once.
                steps.line.send(b"r");
                signal(libc::SIGCONT);
                assert_eq!(steps.line.receive(), [b'r']);
            } else {
                signal(libc::SIGCONT);
                wait_for("the marked read again", || asleep_in(tid).is_some());
                steps.line.command(b'r');
            }
            steps.line.command(b'j');
            assert_eq!(steps.line.receive(), STOPPED, "run {run}");
        }
    }
}
