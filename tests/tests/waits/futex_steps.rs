//! A thread is stepped into its futex wait on a kernel without `futex_waitv(2)`,
//! instruction by instruction, and held there while a request is made of it, or
//! a stray signal sent: with the stop signal open, and nothing but the time-out
//! to end a wait that has not begun. A tracer does it to a child process.
//!
//! Of a debug build some hundred instructions are met, evenly spread, or a part of
//! these, and the system call itself always; with `STOP_TESTS_STOPS` all of them.

// The tracer reads x86-64's registers.
#![cfg(target_arch = "x86_64")]

mod calls;

use calls::{CALLS, outcome};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use stop_tests::dice::{Dice, runs};
use stop_tests::ptrace::{Event, Go, Traced, trap};
use stop_tests::signals::{STOP, catch, errno, is_masked, plain_read, plain_write, send_to};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::{on_backends, part_of, thread_id};
use stopruntime::{Stopped, sys, thread};

const WITHOUT: [&str; 1] = ["ppoll without futex_waitv"];

const STOPPED: i32 = 1;

/// Tracee: handed on to what was there before the runtime.
extern "C" fn earlier(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {}

/// Tracee: waits, told to, while the word is 0. 0, an errno, or [`STOPPED`].
fn wait_for(word: &AtomicU32, with_a_time_out: bool, told: impl FnOnce()) -> i32 {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let (long, none) = (libc::timespec { tv_sec: 1_000, tv_nsec: 0 }, core::ptr::null_mut());
    let time = if with_a_time_out { &raw const long } else { core::ptr::null() };
    told();
    trap();
    // SAFETY: the word and the time outlive the call.
    let outcome = unsafe { sys::futex_or_stop(word.as_ptr(), operation, 0, time, none, 0) };
    let outcome = match outcome {
        Ok(0) => 0,
        Ok(_) => errno(),
        Err(Stopped { .. }) => STOPPED,
    };
    trap();
    assert!(is_masked(STOP), "as before");
    outcome
}

/// Tracee: starts each of the calls by its number.
fn serve_calls(mut line: Line) {
    while let Some(command) = line.next_command() {
        line.send(&[command]);
        let (sender, receiver) = mpsc::channel();
        let (told, gate) = std::io::pipe().unwrap();
        let handle = thread::spawn(move || {
            let call = CALLS[usize::from(command - b'A')].1();
            sender.send(thread_id()).unwrap();
            plain_read(told.as_raw_fd()).unwrap();
            trap();
            let outcome = outcome(call());
            trap();
            assert!(is_masked(STOP), "as before");
            outcome
        });
        line.send_number(receiver.recv().unwrap());
        while let Some(command) = line.next_command() {
            line.send(&[command]);
            match command {
                b'g' => assert!(plain_write(gate.as_raw_fd())),
                b'r' => assert!(handle.request_stop()),
                _ => break,
            }
        }
        line.send_number(handle.join().unwrap());
    }
}

/// Tracee: `n` and `t` start a thread, the latter with a time-out; `g` lets it
/// go, `r` requests its stop, `w` changes the word and wakes it; `j` joins it.
fn serve(mut line: Line) {
    catch(STOP, earlier, libc::SA_RESTART, &[]);
    let mut current = None;
    while let Some(command) = line.next_command() {
        line.send(&[command]);
        if matches!(command, b'n' | b't') {
            let word = Arc::new(AtomicU32::new(0));
            let theirs = Arc::clone(&word);
            let (sender, receiver) = mpsc::channel();
            let (told, gate) = std::io::pipe().unwrap();
            let handle = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                wait_for(&theirs, command == b't', || {
                    plain_read(told.as_raw_fd()).unwrap();
                })
            });
            line.send_number(receiver.recv().unwrap());
            current = Some((handle, word, gate));
            continue;
        }
        let (handle, word, gate) = current.as_ref().expect("a thread");
        match command {
            b'g' => assert!(plain_write(gate.as_raw_fd())),
            b'r' => assert!(handle.request_stop()),
            b'w' => {
                word.store(1, Ordering::SeqCst);
                let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
                // SAFETY: the word is alive.
                unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1) };
            }
            _ => {}
        }
        if command == b'j' {
            let (handle, ..) = current.take().expect("a thread");
            line.send_number(handle.join().unwrap());
        }
    }
}

/// One instruction; false if it sleeps in it.
fn step(thread: &Traced) -> bool {
    thread.go(Go::Step, 0);
    let event = thread.wait_unless_asleep();
    assert!(matches!(event, None | Some(Event::Trap)), "{event:?}");
    event.is_some()
}

/// Whether the next instruction is the wait's system call.
fn is_at_its_wait(thread: &Traced) -> bool {
    thread.is_at_call() && thread.registers().rax == libc::SYS_futex.cast_unsigned()
}

/// After how many instructions, or beyond, at the call itself.
type Place = (usize, bool);

struct Steps {
    tracee: Tracee,
    line: Line,
}

impl Steps {
    /// With the instructions at which to hold a thread.
    fn new() -> (Steps, Vec<Place>) {
        let most = usize::try_from(part_of(300)).expect("small");
        let (tracee, line) = start();
        let mut steps = Steps { tracee, line };
        // The first one asks for `futex_waitv`, and others do not any more.
        let thread = steps.thread(b'n');
        assert!(!thread.run(true, true), "it waits");
        steps.line.command(b'r');
        assert_eq!(steps.outcome(thread), STOPPED);
        let thread = steps.thread(b'n');
        let mut count = 0;
        while !is_at_its_wait(&thread) {
            assert!(step(&thread), "it sleeps elsewhere");
            count += 1;
        }
        thread.go(Go::On, 0);
        steps.line.command(b'r');
        assert_eq!(steps.outcome(thread), STOPPED);
        let part = if runs(0) == 0 { 1 + count / most } else { 1 };
        let from = Dice::new().below(part as u64).try_into().expect("small");
        println!("{count} instructions, from {from} each {part}");
        let before = (from..count).step_by(part).map(|index| (index, false));
        // In both forms.
        let at_its_call = [count | 1, count & !1].map(|index| (index, true));
        (steps, before.chain(at_its_call).collect())
    }

    /// A new thread, at the trap before its wait.
    fn thread(&mut self, command: u8) -> Traced {
        self.line.command(command);
        let thread = Traced::seize(self.tracee.process(), self.line.receive_number());
        self.line.command(b'g');
        assert_eq!(thread.wait(), Event::Trap);
        thread
    }

    /// Held after this many instructions, or at its call: it does not always
    /// make the same number.
    fn held_at(&mut self, (index, at_its_call): Place) -> Traced {
        const JITTER: usize = 200;
        let command = if index.is_multiple_of(2) { b'n' } else { b't' };
        let thread = self.thread(command);
        let mut done = 0;
        while (at_its_call || done < index) && !(done + JITTER > index && is_at_its_wait(&thread)) {
            assert!(step(&thread), "it sleeps elsewhere, or before");
            done += 1;
        }
        thread
    }

    /// Held at the call that is made with the stop signal unblocked.
    fn held_in(&mut self, call: usize) -> Traced {
        let thread = self.thread(b'A' + u8::try_from(call).expect("few"));
        let mut unblocked = false;
        loop {
            assert!(step(&thread), "it sleeps elsewhere, or before");
            if thread.is_at_call() {
                let registers = thread.registers();
                let is_mask = registers.rax == libc::SYS_rt_sigprocmask.cast_unsigned();
                if unblocked {
                    assert!(!is_mask, "no call between");
                    return thread;
                }
                unblocked =
                    is_mask && registers.rdi == u64::from(libc::SIG_UNBLOCK.cast_unsigned());
            }
        }
    }

    /// What the thread that was let go comes to.
    fn outcome(&mut self, thread: Traced) -> i32 {
        assert!(thread.run(false, false), "it waits in vain");
        thread.detach();
        self.line.command(b'j');
        self.line.receive_number()
    }
}

on_backends! { WITHOUT;
    fn a_request_ends_a_wait_that_begins() {
        if let Some(line) = line_to_tracer() {
            return serve(line);
        }
        let (mut steps, places) = Steps::new();
        for place in places {
            let thread = steps.held_at(place);
            steps.line.command(b'r');
            thread.go(Go::On, 0);
            assert_eq!(steps.outcome(thread), STOPPED, "held at {place:?}");
        }
    }

    fn a_stray_signal_does_not() {
        if let Some(line) = line_to_tracer() {
            return serve(line);
        }
        let (mut steps, places) = Steps::new();
        for place in places {
            let thread = steps.held_at(place);
            send_to(thread.process(), thread.thread(), STOP);
            assert!(!thread.run(true, true), "ended by a stray signal, held at {place:?}");
            // Another one, in its sleep.
            send_to(thread.process(), thread.thread(), STOP);
            assert_eq!(thread.wait_or_hang(), Some(Event::Signal(STOP)));
            thread.go(Go::On, STOP);
            assert!(!thread.run(false, true), "ended by a second one, held at {place:?}");
            steps.line.command(b'w');
            // Between its queue and its sleep it may find the word changed.
            let outcome = steps.outcome(thread);
            assert!([0, libc::EAGAIN].contains(&outcome), "{outcome}, held at {place:?}");
        }
    }
}

on_backends! { ["ppoll"];
    /// Each call that reads an argument from memory, at its instruction.
    fn a_request_ends_each_call_that_is_about_to_begin() {
        if let Some(line) = line_to_tracer() {
            return serve_calls(line);
        }
        let (tracee, line) = start();
        let mut steps = Steps { tracee, line };
        for (index, (name, _)) in CALLS.iter().enumerate() {
            println!("{name}");
            let thread = steps.held_in(index);
            steps.line.command(b'r');
            thread.go(Go::On, 0);
            assert_eq!(steps.outcome(thread), STOPPED, "{name}");
        }
    }

    fn a_stray_signal_ends_none() {
        if let Some(line) = line_to_tracer() {
            return serve_calls(line);
        }
        let (tracee, line) = start();
        let mut steps = Steps { tracee, line };
        for (index, (name, _)) in CALLS.iter().enumerate() {
            println!("{name}");
            let thread = steps.held_in(index);
            send_to(thread.process(), thread.thread(), STOP);
            assert!(!thread.run(true, true), "{name} is ended by a stray signal");
            steps.line.command(b'r');
            assert_eq!(steps.outcome(thread), STOPPED, "{name}");
        }
    }
}
