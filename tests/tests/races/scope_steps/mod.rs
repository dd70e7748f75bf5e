//! Scopes, stepped through instruction by instruction. A requester of a scope is held
//! at each instruction while a thread enters and leaves the scope. A thread is held at
//! each instruction of entering, leaving, or looking, while a whole request is made, or a
//! deadline passes. And the helper of deadlines is held in the midst of its round while a
//! thread arms one. A tracer does it to a child process.
//!
//! A request is some ten thousand instructions of a debug build, most of them looks at
//! records that no thread has. So the instructions at which it is held lie closer together
//! where it has set the flags, and closest where it looks at the first thread. With
//! `STOP_TESTS_STOPS` there are as many as that says.

// The tracer reads x86-64's registers.
#![cfg(target_arch = "x86_64")]

mod helper;
mod thread;
mod tracee;

use super::requester_steps::step;
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::{asleep_in, rest, wait_for};
use stop_tests::ptrace::{Event, Go, Traced};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::{on_backends, per_backend};
use tracee::{Asks, READ, STOPPED, serve};

const MARKED: [libc::c_long; 2] = [libc::SYS_recvfrom, libc::SYS_ppoll];

/// The child.
struct Steps {
    tracee: Tracee,
    line: Line,
    /// The thread that there is.
    thread: i32,
}

impl Steps {
    fn new() -> Steps {
        let (tracee, line) = start();
        Steps { tracee, line, thread: 0 }
    }

    /// A new thread; its requester is held before it begins.
    fn pair(&mut self, command: u8) -> Traced {
        let requester = self.thread_of(command);
        let requester = Traced::seize(self.tracee.process(), requester);
        self.line.command(b'r');
        assert_eq!(requester.wait(), Event::Trap);
        requester
    }

    /// A new thread; its requester's id.
    fn thread_of(&mut self, command: u8) -> i32 {
        self.line.command(command);
        self.thread = self.line.receive_number();
        self.line.receive_number()
    }

    /// How many instructions a request is, made when the thread waits for the first time.
    fn length(&mut self) -> Length {
        let requester = self.pair(b'N');
        self.wait_for(1);
        let mut length = Length { all: 0, behind: None };
        let mut barriers = 0;
        while !requester.is_at_trap() {
            let calls = requester.is_at_call();
            if calls && requester.registers().rax == libc::SYS_membarrier as u64 {
                barriers += 1;
                length.behind = Some(0).filter(|_| barriers == 2);
            }
            step(&requester, 1);
            length.all += 1;
            length.behind = length.behind.map(|behind| behind + 1);
        }
        eprintln!("{length:?}");
        requester.go(Go::On, 0);
        assert_eq!(requester.wait(), Event::Trap);
        requester.detach();
        self.line.command(b'e');
        for feed in *b"ggddpj" {
            self.line.send(&[feed]);
            let [_] = self.line.receive();
        }
        // All of it at once: whatever comes of it.
        self.end();
        length
    }

    /// Until the thread sleeps in its wait of this number.
    fn wait_for(&mut self, number: i32) {
        self.wait_for_either(number, number);
    }

    /// Or in that one; or for a requester, on its way out of a call.
    fn wait_for_either(&mut self, first: i32, second: i32) {
        let thread = self.thread;
        wait_for("the thread to sleep", || {
            self.line.command(b'w');
            let waits = self.line.receive_number();
            match asleep_in(thread) {
                Some(libc::SYS_futex) => true,
                Some(_) => waits == first || waits == second,
                None => false,
            }
        });
    }

    fn end(&mut self) -> [u8; 2] {
        self.line.command(b'g');
        self.line.command(b'o');
        self.line.receive()
    }

    /// How the last wait came out, and that nothing else was wrong.
    fn outcome(&mut self) -> u8 {
        let [outcome, clean] = self.end();
        assert_eq!(clean, 1, "the last wait: {outcome}");
        outcome
    }
}

/// The instructions of a request, and of these those from its second barrier on, if there
/// is one.
#[derive(Clone, Copy, Debug)]
struct Length {
    all: usize,
    behind: Option<usize>,
}

/// So many instructions from its beginning, or from its second barrier on.
#[derive(Clone, Copy, Debug)]
struct Place {
    behind: bool,
    index: usize,
}

impl Length {
    /// Where to hold it.
    fn places(self) -> impl Iterator<Item = Place> {
        let mut dice = Dice::new();
        let count = runs(16);
        (0..count).map(move |number| {
            let behind = self.behind.filter(|_| number % 4 != 0);
            let length = behind.unwrap_or(self.all);
            let index = if behind.is_some() {
                closer_at_first(&mut dice, length)
            } else {
                below(&mut dice, length)
            };
            Place { behind: behind.is_some(), index }
        })
    }
}

fn below(dice: &mut Dice, length: usize) -> usize {
    usize::try_from(dice.below(length as u64)).expect("small")
}

fn closer_at_first(dice: &mut Dice, length: usize) -> usize {
    let index = below(dice, length);
    index * index / length * below(dice, length) / length
}

per_backend! {
    /// Of the call that it is held in it may be stopped, and of the next one not.
    fn a_requester_of_a_scope_that_is_left() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::leaves, Asks::Job);
        }
        let mut steps = Steps::new();
        for place in steps.length().places() {
            let requester = steps.pair(b'n');
            steps.wait_for(1);
            hold(&requester, place);
            steps.line.command(b'd');
            steps.wait_for(2);
            undisturbed(&mut steps, requester, place);
            steps.line.command(b'd');
            assert_eq!(steps.outcome(), READ, "held at {place:?}");
        }
    }

    fn a_requester_of_a_scope_that_was_looked_for() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::looks_behind, Asks::Job);
        }
        let mut steps = Steps::new();
        for place in steps.length().places() {
            let requester = steps.pair(b'n');
            steps.wait_for(1);
            hold(&requester, place);
            steps.line.command(b'g');
            steps.wait_for(2);
            undisturbed(&mut steps, requester, place);
            steps.line.command(b'd');
            assert_eq!(steps.outcome(), READ, "held at {place:?}");
        }
    }

    fn a_requester_of_a_scope_of_a_thread_that_looks() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::looks_inside, Asks::Job);
        }
        is_stopped_whenever_it_looks();
    }

    fn a_requester_of_a_thread_that_looks() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::looks_inside, Asks::Thread);
        }
        is_stopped_whenever_it_looks();
    }

    /// One is on its way while another one begins and ends.
    fn a_requester_beside_another() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::has_looked, Asks::Another);
        }
        let mut steps = Steps::new();
        for (place, which) in steps.length().places().zip(b"jt".iter().cycle()) {
            let requester = steps.pair(b'n');
            steps.wait_for(1);
            hold(&requester, place);
            steps.line.command(b'g');
            steps.wait_for(2);
            steps.line.command(*which);
            steps.line.command(b'g');
            steps.wait_for(4);
            requester.detach();
            steps.line.command(b'e');
            assert_eq!(steps.outcome(), STOPPED, "held at {place:?}");
        }
    }
}

on_backends! { ["rseq", "handler"];
    /// Held at its barrier, and then once more: what it finds is of two moments.
    fn a_requester_of_a_scope_that_is_entered_once_more() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::returns, Asks::Job);
        }
        let mut steps = Steps::new();
        let length = steps.length();
        for place in length.places().filter(|place| place.behind) {
            let requester = steps.pair(b'n');
            steps.wait_for(1);
            hold(&requester, Place { index: 0, ..place });
            is_entered(&mut steps, requester, true, place.index);
        }
    }

    /// The same with a thread that is not in the scope when the flags are set.
    fn a_requester_of_a_scope_that_is_entered_late() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::comes_late, Asks::Job);
        }
        let mut steps = Steps::new();
        for place in steps.length().places() {
            let requester = steps.pair(b'n');
            steps.wait_for(1);
            is_entered(&mut steps, requester, false, place.index);
        }
    }
}

on_backends! { ["ppoll"];
    /// Held twice, anywhere: there is no barrier.
    fn a_requester_of_a_scope_that_is_entered_again() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::returns, Asks::Job);
        }
        let mut steps = Steps::new();
        let length = steps.length();
        let mut dice = Dice::new();
        for place in length.places() {
            let requester = steps.pair(b'n');
            steps.wait_for(1);
            hold(&requester, place);
            let left = below(&mut dice, length.all - place.index);
            is_entered(&mut steps, requester, true, left);
        }
    }
}

/// Holds a request there.
fn hold(requester: &Traced, place: Place) {
    if place.behind {
        // All flags are set by then. Each call is met twice.
        for _ in 0..3 {
            requester.go(Go::ToCall, 0);
            assert_eq!(requester.wait(), Event::Call);
        }
        assert_eq!(requester.registers().orig_rax, libc::SYS_membarrier as u64);
    }
    step(requester, place.index);
}

/// The requester comes to its end, and the thread sleeps as it did, unless that was in
/// waiting for the requester, on its way out of a call.
fn undisturbed(steps: &mut Steps, requester: Traced, place: Place) {
    let waits_for_it = asleep_in(steps.thread) == Some(libc::SYS_futex);
    let before = rest(steps.thread);
    requester.detach();
    steps.line.command(b'e');
    assert!(waits_for_it || rest(steps.thread) == before, "held at {place:?}: {before:?}");
}

fn is_stopped_whenever_it_looks() {
    let mut steps = Steps::new();
    for place in steps.length().places() {
        let requester = steps.pair(b'n');
        steps.wait_for(1);
        hold(&requester, place);
        steps.line.command(b'g');
        // In its call, or stopped.
        steps.wait_for_either(2, 3);
        requester.detach();
        steps.line.command(b'e');
        assert_eq!(steps.outcome(), STOPPED, "held at {place:?}");
    }
}

/// The requester is held. If the thread is `inside`, it leaves the scope and begins a call,
/// or it is in that already. And while the requester is held once more after so many
/// instructions, or at its end, the thread enters the scope, for unmarked code.
fn is_entered(steps: &mut Steps, requester: Traced, inside: bool, count: usize) {
    let mut waits = 1;
    if inside {
        steps.line.command(b'g');
        waits += 1;
        steps.wait_for(waits);
    }
    let goes_on = || {
        requester.go(Go::Step, 0);
        requester.wait() != Event::Ended
    };
    let is_there = (0..count).all(|_| goes_on());
    steps.line.command(b'd');
    steps.wait_for(waits + 1);
    if is_there {
        requester.detach();
    }
    steps.line.command(b'e');
    steps.line.command(b'p');
    assert_eq!(steps.outcome(), READ, "held once more {count} instructions later");
}
