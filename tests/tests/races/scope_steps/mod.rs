//! Scopes, stepped through instruction by instruction. A requester of a scope is held
//! at each instruction while a thread enters and leaves the scope. A thread is held at
//! each instruction of entering, leaving, or looking, while a whole request is made, or a
//! deadline passes. And the helper of deadlines is held in the midst of its round while a
//! thread arms one. A tracer does it to a child process.
//!
//! [`Way`] says which instructions are met.

// The tracer reads x86-64's registers.
#![cfg(target_arch = "x86_64")]

mod helper;
mod thread;
mod tracee;

use super::requester_steps::let_end;
use stop_tests::dice::Dice;
use stop_tests::proc::{asleep_in, rest, wait_for};
use stop_tests::ptrace::{Event, Traced};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::way::{Place, Way};
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
    fn pair(&mut self) -> Traced {
        let requester = self.thread();
        let requester = Traced::seize(self.tracee.process(), requester);
        self.line.command(b'r');
        assert_eq!(requester.wait(), Event::Trap);
        requester
    }

    /// A new thread; its requester's id.
    fn thread(&mut self) -> i32 {
        self.line.command(b'n');
        self.thread = self.line.receive_number();
        self.line.receive_number()
    }

    /// The way of a request that is made when the thread waits for the first time, and
    /// which instruction of it makes the second barrier, if there is one.
    fn way(&mut self) -> (Way, Option<usize>) {
        let requester = self.pair();
        self.wait_for(1);
        let mut barriers = Vec::new();
        let way = Way::of(&requester, Traced::is_at_trap, |requester, index| {
            if requester.registers().rax == libc::SYS_membarrier as u64 {
                barriers.push(index);
            }
        });
        let_end(requester);
        self.line.command(b'e');
        for feed in *b"ggddpj" {
            self.line.send(&[feed]);
            let [_] = self.line.receive();
        }
        // All of it at once: whatever comes of it.
        self.end();
        (way, barriers.get(1).copied())
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

per_backend! {
    /// Of the call that it is held in it may be stopped, and of the next one not.
    fn a_requester_of_a_scope_that_is_left() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::leaves, Asks::Job);
        }
        is_not_disturbed(b'd');
    }

    fn a_requester_of_a_scope_that_was_looked_for() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::looks_behind, Asks::Job);
        }
        is_not_disturbed(b'g');
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
        let (way, _) = steps.way();
        for (place, which) in way.places(300).into_iter().zip(b"jt".iter().cycle()) {
            let requester = steps.pair();
            steps.wait_for(1);
            way.run_to(&requester, place);
            steps.line.command(b'g');
            steps.wait_for(2);
            steps.line.command(*which);
            steps.line.command(b'g');
            steps.wait_for(4);
            let_end(requester);
            steps.line.command(b'e');
            assert_eq!(steps.outcome(), STOPPED, "held at {place:x?}");
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
        let (way, barrier) = steps.way();
        let barrier = way.place(barrier.expect("behind the flags"));
        let behind = is_entered(&mut steps, Some((&way, barrier)), |requester| {
            Way::of(requester, Traced::is_at_trap, |_, _| {})
        });
        for place in behind.places(300) {
            is_entered(&mut steps, Some((&way, barrier)), |requester| {
                behind.run_to(requester, place);
            });
        }
    }

    /// The same with a thread that is not in the scope when the flags are set.
    fn a_requester_of_a_scope_that_is_entered_late() {
        if let Some(line) = line_to_tracer() {
            return serve(line, tracee::comes_late, Asks::Job);
        }
        let mut steps = Steps::new();
        let (way, _) = steps.way();
        for place in way.places(300) {
            is_entered(&mut steps, None, |requester| way.run_to(requester, place));
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
        let (way, _) = steps.way();
        let mut dice = Dice::new();
        for place in way.places(300) {
            let again = way.place_from(place, &mut dice);
            is_entered(&mut steps, Some((&way, place)), |requester| way.run_to(requester, again));
        }
    }
}

/// Held anywhere while the thread goes on to its second wait, which stays as it is, unless
/// that is for the requester, on its way out of a call.
fn is_not_disturbed(goes_on: u8) {
    let mut steps = Steps::new();
    let (way, _) = steps.way();
    for place in way.places(300) {
        let requester = steps.pair();
        steps.wait_for(1);
        way.run_to(&requester, place);
        steps.line.command(goes_on);
        steps.wait_for(2);
        let waits_for_it = asleep_in(steps.thread) == Some(libc::SYS_futex);
        let before = rest(steps.thread);
        let_end(requester);
        steps.line.command(b'e');
        assert!(waits_for_it || rest(steps.thread) == before, "held at {place:x?}: {before:?}");
        steps.line.command(b'd');
        assert_eq!(steps.outcome(), READ, "held at {place:x?}");
    }
}

fn is_stopped_whenever_it_looks() {
    let mut steps = Steps::new();
    let (way, _) = steps.way();
    for place in way.places(300) {
        let requester = steps.pair();
        steps.wait_for(1);
        way.run_to(&requester, place);
        steps.line.command(b'g');
        // In its call, or stopped.
        steps.wait_for_either(2, 3);
        let_end(requester);
        steps.line.command(b'e');
        assert_eq!(steps.outcome(), STOPPED, "held at {place:x?}");
    }
}

/// If the requester is held `inside`, the thread leaves the scope meanwhile and begins a
/// call; else it is in that already. Then the requester `goes` on to another place, at
/// which the thread enters the scope, for unmarked code.
fn is_entered<T>(
    steps: &mut Steps,
    inside: Option<(&Way, Place)>,
    goes: impl FnOnce(&Traced) -> T,
) -> T {
    let requester = steps.pair();
    let mut waits = 1;
    steps.wait_for(waits);
    if let Some((way, place)) = inside {
        way.run_to(&requester, place);
        steps.line.command(b'g');
        waits += 1;
        steps.wait_for(waits);
    }
    let result = goes(&requester);
    let held = requester.pc();
    steps.line.command(b'd');
    steps.wait_for(waits + 1);
    let_end(requester);
    steps.line.command(b'e');
    steps.line.command(b'p');
    assert_eq!(
        steps.outcome(),
        READ,
        "held at {:x?}, and once more at {held:x}",
        inside.map(|(_, place)| place)
    );
    result
}
