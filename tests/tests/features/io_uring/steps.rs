//! A wait for completions is stepped through and met by a request at each
//! instruction: it goes through no window, so that the mark, the handler and
//! the mask of the call have to do it alone. A tracer does it to a child.
//!
//! A random part of the instructions, a smaller one for a developer; all of them
//! with `STOP_TESTS_STOPS`.

use super::ring;
use std::io::{PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::rest;
use stop_tests::ptrace::{Event, Go, Traced, trap};
use stop_tests::signals::{STOP, is_masked, plain_read, plain_write};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::{everything, thread_id};
use stopruntime::ext::SubmitAndWaitOrStop;
use stopruntime::thread::{self, JoinHandle};

/// One thread's wait, between two traps; whether it was stopped.
fn one_wait() -> (JoinHandle<bool>, PipeWriter, i32) {
    let (sender, receiver) = mpsc::channel();
    let (opened, gate) = pipe().unwrap();
    let handle = thread::spawn(move || {
        let ring = ring();
        sender.send(thread_id()).unwrap();
        plain_read(opened.as_raw_fd()).unwrap();
        trap();
        let outcome = ring.submit_and_wait_or_stop(1);
        trap();
        // No trace of the signal: neither held off for ever nor to come.
        let held_off = stopruntime::backend() == stopruntime::Backend::Ppoll;
        assert_eq!(is_masked(STOP), held_off);
        assert_eq!(rest(thread_id()).pending, 0);
        outcome.is_err()
    });
    let thread = receiver.recv().unwrap();
    (handle, gate, thread)
}

/// In the child: does what the tracer says.
fn serve(mut line: Line) {
    while line.next_command() == Some(b'n') {
        let (handle, gate, thread) = one_wait();
        line.send(b"n");
        line.send_number(thread);
        while let Some(command) = line.next_command() {
            match command {
                b'g' => assert!(plain_write(gate.as_raw_fd())),
                b'r' => assert!(handle.request_stop()),
                _ => {}
            }
            line.send(&[command]);
            if command == b'j' {
                line.send(&[u8::from(handle.join().unwrap())]);
                break;
            }
        }
    }
}

/// A new thread, stopped just before its wait.
fn begin(tracee: &Tracee, line: &mut Line) -> Traced {
    line.command(b'n');
    let thread = Traced::seize(tracee.process(), line.receive_number());
    line.command(b'g');
    assert_eq!(thread.wait(), Event::Trap);
    thread
}

/// One instruction; false if it is the call that the thread now sleeps in.
fn step(thread: &Traced) -> bool {
    let calls = thread.is_at_call();
    thread.go(Go::Step, 0);
    let event = if calls { thread.wait_unless_asleep() } else { Some(thread.wait()) };
    assert!(matches!(event, None | Some(Event::Trap)), "{event:?}");
    event.is_some()
}

/// Lets the thread go on after its request: it has to be stopped.
fn end(thread: Traced, line: &mut Line, awake: bool, at: usize) {
    line.command(b'r');
    assert!(thread.run(awake, false), "request lost at instruction {at}");
    thread.detach();
    line.command(b'j');
    assert_eq!(line.receive(), [1], "not stopped at instruction {at}");
}

on_rings! {
    fn a_request_at_each_instruction_of_a_wait() {
        if let Some(line) = line_to_tracer() {
            return serve(line);
        }
        let (tracee, mut line) = start();
        let thread = begin(&tracee, &mut line);
        let mut length = 0;
        while step(&thread) {
            length += 1;
        }
        end(thread, &mut line, false, length);
        let part = if everything() { 29 } else { 149 };
        let (from, by) = match runs(0) {
            0 => (Dice::new().below(part as u64), part),
            _ => (0, 1),
        };
        let mut met = 0;
        // From the end, where the hazards are.
        for back in (usize::try_from(from).unwrap()..length).step_by(by) {
            let thread = begin(&tracee, &mut line);
            let at = length - back;
            assert!((0..at).all(|_| step(&thread)), "asleep before instruction {at} of {length}");
            end(thread, &mut line, true, at);
            met += 1;
        }
        assert!(met > 0);
        println!("{met} of {length} instructions");
    }
}
