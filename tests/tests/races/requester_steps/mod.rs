//! A requester is stepped through, instruction by instruction, and held there
//! while the thread goes on: out of its marked call, or into one under a shield.
//! And a thread is stepped out of its marked call, and held there while a second
//! requester goes on. A tracer does it to a child process.
//!
//! [`Way`] says which instructions are met.

// The tracer reads x86-64's registers.
#![cfg(target_arch = "x86_64")]

mod tracee;

use stop_tests::proc::{asleep_in, rest, wait_for};
use stop_tests::ptrace::{Event, Go, Traced};
use stop_tests::seccomp::deny;
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::way::Way;
use stop_tests::{on_backends, per_backend};
use tracee::{Does, Outcome, READ, STOPPED, serve};

/// The child.
struct Steps {
    tracee: Tracee,
    line: Line,
}

impl Steps {
    fn new() -> Steps {
        let (tracee, line) = start();
        Steps { tracee, line }
    }

    /// A new thread and a requester of its own, which is held before it begins.
    fn pair(&mut self) -> (i32, Traced) {
        self.line.command(b'n');
        let thread = self.line.receive_number();
        let requester = Traced::seize(self.tracee.process(), self.line.receive_number());
        self.line.command(b'r');
        assert_eq!(requester.wait(), Event::Trap);
        (thread, requester)
    }

    /// The way of a request that is made while the thread waits in one of these calls.
    fn way(&mut self, calls: &[libc::c_long]) -> Way {
        let (thread, requester) = self.pair();
        wait_for_sleep(thread, calls);
        let way = Way::of(&requester, Traced::is_at_trap, |_, _| {});
        let_end(requester);
        for feed in *b"gdp" {
            self.line.command(feed);
        }
        self.outcome();
        way
    }

    fn outcome(&mut self) -> Outcome {
        self.line.command(b'j');
        self.line.receive()
    }
}

/// Goes on to its trap, and on.
pub(super) fn let_end(requester: Traced) {
    requester.go(Go::On, 0);
    assert_eq!(requester.wait(), Event::Trap);
    requester.detach();
}

fn wait_for_sleep(thread: i32, calls: &[libc::c_long]) {
    wait_for("the thread to sleep", || asleep_in(thread).is_some_and(|call| calls.contains(&call)));
}

per_backend! {
    /// Its byte comes when the requester is held.
    fn of_a_blocked_read() {
        if let Some(line) = line_to_tracer() {
            return serve(line, Does::Reads);
        }
        fed_when_the_requester_is_held(&[libc::SYS_recvfrom, libc::SYS_ppoll]);
    }

    /// Its permit comes when the requester is held.
    fn of_a_wait_on_the_flag() {
        if let Some(line) = line_to_tracer() {
            return serve(line, Does::Acquires);
        }
        fed_when_the_requester_is_held(&[libc::SYS_futex_waitv]);
    }

    /// The whole request is made while the thread is held on its way into the wait.
    fn of_a_wait_on_the_flag_that_begins() {
        if let Some(line) = line_to_tracer() {
            return serve(line, Does::BeginsToAcquire);
        }
        let mut steps = Steps::new();
        let way = begins_to_wait(&mut steps, |thread| Way::of(thread, is_at_its_wait, |_, _| {}));
        for place in way.places(300) {
            begins_to_wait(&mut steps, |thread| way.run_to(thread, place));
        }
    }
}

on_backends! { ["rseq", "handler"];
    /// Entered under a shield when the requester is held.
    fn of_a_shielded_receive() {
        if let Some(line) = line_to_tracer() {
            return serve(line, Does::Receives);
        }
        let mut steps = Steps::new();
        let way = steps.way(&[libc::SYS_read]);
        for place in way.places(300) {
            let (thread, requester) = steps.pair();
            way.run_to(&requester, place);
            steps.line.command(b'g');
            wait_for_sleep(thread, &[libc::SYS_recvfrom]);
            let before = rest(thread);
            let_end(requester);
            // Not before the requester has come to its end.
            steps.line.command(b'e');
            assert_eq!(rest(thread), before, "held at {place:x?}");
            steps.line.command(b'd');
            assert_eq!(steps.outcome(), [READ, 1, 0], "held at {place:x?}");
        }
    }
}

on_backends! { ["handler"];
    /// Without membarrier, where both signal whom they find outside of a call:
    /// one has, the other one is about to.
    fn of_two_requesters() {
        if let Some(line) = line_to_tracer() {
            deny(libc::SYS_membarrier, libc::ENOSYS);
            return serve(line, Does::Traps);
        }
        let mut steps = Steps::new();
        let (way, _) =
            two_requesters(&mut steps, |thread| Way::of(thread, Traced::is_at_trap, |_, _| {}));
        let mut signals = 0;
        for place in way.places(300) {
            let ((), is_signalled) = two_requesters(&mut steps, |thread| way.run_to(thread, place));
            signals += usize::from(is_signalled);
        }
        assert!(signals > 0);
    }
}

on_backends! { ["rseq", "handler"];
    /// Without membarrier, at each place where libc has taken the value of the
    /// key away and the destructor has not put it back yet.
    fn of_a_thread_that_ends() {
        if let Some(line) = line_to_tracer() {
            deny(libc::SYS_membarrier, libc::ENOSYS);
            return serve(line, Does::Ends);
        }
        let mut steps = Steps::new();
        steps.line.command(b's');
        let put_back = usize::from_ne_bytes(steps.line.receive());
        let held = (1..).take_while(|&nth| request_where_the_key_is_gone(&mut steps, put_back, nth));
        assert!(held.count() > 0);
    }
}

/// Holds each requester somewhere else while the thread is given what it waits for.
fn fed_when_the_requester_is_held(calls: &[libc::c_long]) {
    let mut steps = Steps::new();
    let (mut read, mut stopped) = (0, 0);
    let way = steps.way(calls);
    for place in way.places(300) {
        let (thread, requester) = steps.pair();
        wait_for_sleep(thread, calls);
        way.run_to(&requester, place);
        if requester.is_at_trap() {
            // The request is made: the thread has seen it before its byte comes.
            wait_for_sleep(thread, &[libc::SYS_futex, libc::SYS_poll]);
        }
        steps.line.command(b'd');
        // It waits for the requester, or is in its unmarked call.
        wait_for_sleep(thread, &[libc::SYS_futex, libc::SYS_poll]);
        let_end(requester);
        steps.line.command(b'e');
        steps.line.command(b'p');
        match steps.outcome() {
            [READ, 1, 0] => read += 1,
            [STOPPED, 1, 0] => stopped += 1,
            [read, poll, chained] => {
                panic!("read {read}, poll {poll}, signal handed on {chained}, held at {place:x?}")
            }
        }
    }
    eprintln!("{read} read, {stopped} stopped");
    assert!(read > 0 && stopped > 0);
}

fn is_at_its_wait(thread: &Traced) -> bool {
    thread.is_at_call() && thread.registers().rax == libc::SYS_futex_waitv.cast_unsigned()
}

/// Holds the thread where `goes` leaves it on the way to its wait, for a whole request.
fn begins_to_wait<T>(steps: &mut Steps, goes: impl FnOnce(&Traced) -> T) -> T {
    let (thread, requester) = steps.pair();
    let thread = Traced::seize(steps.tracee.process(), thread);
    steps.line.command(b'g');
    to_its_trap(&thread);
    let result = goes(&thread);
    let held = thread.pc();
    let_end(requester);
    steps.line.command(b'e');
    thread.go(Go::On, 0);
    assert!(thread.run(false, false), "it waits in vain, held at {held:x}");
    thread.detach();
    assert_eq!(steps.outcome(), [STOPPED, 1, 0], "held at {held:x}");
    result
}

/// Holds the ending thread at the nth call of this function, for a whole request;
/// false if it ends first.
fn request_where_the_key_is_gone(steps: &mut Steps, put_back: usize, nth: usize) -> bool {
    let (thread, requester) = steps.pair();
    let thread = Traced::seize(steps.tracee.process(), thread);
    steps.line.command(b'g');
    to_its_trap(&thread);
    for earlier in (0..nth).rev() {
        let code = thread.break_at(put_back);
        thread.go(Go::On, 0);
        if thread.wait() == Event::Ended {
            return false;
        }
        thread.resume_at(put_back, code);
        if earlier > 0 {
            // Past the place of the next breakpoint.
            thread.go(Go::Step, 0);
            assert_eq!(thread.wait(), Event::Trap);
        }
    }
    let_end(requester);
    steps.line.command(b'e');
    thread.detach();
    assert_eq!(steps.outcome(), [READ, 1, 0], "held at call {nth}");
    true
}

/// Holds the thread where `goes` leaves it on the way to the end of its call, while the
/// second requester goes on to its signal, if it sends one: not while the thread is in a
/// shield, under which it tells of its stop.
fn two_requesters<T>(steps: &mut Steps, goes: impl FnOnce(&Traced) -> T) -> (T, bool) {
    let (thread, requester) = steps.pair();
    steps.line.command(b'a');
    let thread = Traced::seize(steps.tracee.process(), thread);
    steps.line.command(b'g');
    to_its_trap(&thread);
    let result = goes(&thread);
    let held = thread.pc();
    let is_signalled = to_its_signal(&requester);
    // To its end, or it waits for the requester.
    thread.go(Go::On, 0);
    let event = thread.wait_unless_asleep();
    assert!(matches!(event, None | Some(Event::Trap)), "{event:?}");
    if is_signalled {
        let_end(requester);
    } else {
        requester.detach();
    }
    assert!(event.is_some() || thread.run(false, false), "it waits in vain, held at {held:x}");
    thread.detach();
    steps.line.command(b'e');
    assert_eq!(steps.outcome(), [STOPPED, 1, 0], "held at {held:x}");
    (result, is_signalled)
}

/// To the first trap, with the first request's signal taken on the way.
fn to_its_trap(thread: &Traced) {
    loop {
        match thread.wait() {
            Event::Trap => return,
            Event::Signal(signal) => thread.go(Go::On, signal),
            _ => thread.go(Go::On, 0),
        }
    }
}

/// To the beginning of its `rt_tgsigqueueinfo(2)`, or, false, to its trap.
fn to_its_signal(requester: &Traced) -> bool {
    loop {
        requester.go(Go::ToCall, 0);
        let event = requester.wait();
        if event == Event::Trap {
            return false;
        }
        assert_eq!(event, Event::Call);
        if requester.registers().orig_rax == libc::SYS_rt_tgsigqueueinfo as u64 {
            return true;
        }
    }
}
