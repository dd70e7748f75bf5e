//! A marked call costs the system call it makes and nothing else: no second
//! one, and no wake-up while it waits. Counted by a tracer of the test's own.

#![cfg(target_arch = "x86_64")]

use std::fs::File;
use std::io::{PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::proc::rest;
use stop_tests::ptrace::{Event, Go, Traced, trap};
use stop_tests::signals::{plain_read, plain_write};
use stop_tests::started::blocked;
use stop_tests::tracee::{Line, line_to_tracer, start};
use stop_tests::{everything, on_backends, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{JoinOrStop, ReadOrStop, sleep_or_stop};
use stopruntime::sync::Semaphore;
use stopruntime::{check, request_stop_all, shield, thread};

const READS: u64 = 1_000;

per_backend! {
    fn a_waiting_call_never_wakes_up() {
        // The time is what is measured: for so long, nothing happens.
        let time = Duration::from_millis(if everything() { 3_000 } else { 500 });
        let (mut reader, _writer) = pipe().unwrap();
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            reader.read_or_stop(&mut [0]).is_err()
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &[libc::SYS_read, libc::SYS_ppoll]);
        let before = rest(thread);
        std::thread::sleep(time);
        assert_eq!(rest(thread), before);
        assert_eq!(before.state, "S");
        assert!(handle.stop_and_join().unwrap());
    }
}

per_backend! {
    /// No barrier, and no signal.
    fn a_request_to_a_thread_that_sleeps_on_its_flag_is_one_system_call() {
        if let Some(line) = line_to_tracer() {
            return request_stops_of_sleepers(line);
        }
        let mut calls = calls_between_traps();
        // Who has requested it is told with the features `log` and `tracing`.
        calls.retain(|number| *number != libc::SYS_gettid as u64);
        assert_eq!(calls, [libc::SYS_futex as u64; 2 * SLEEPERS.len()]);
    }
}

on_backends! { ["rseq", "handler"];
    fn a_thousand_reads_are_a_thousand_system_calls() {
        if let Some(line) = line_to_tracer() {
            return read_between_traps(line);
        }
        let calls = calls_between_traps();
        // Each is seen at its beginning and at its end.
        assert_eq!(calls.len() as u64, 2 * READS);
        assert!(calls.iter().all(|number| *number == libc::SYS_read as u64));
    }

    fn many_handles_take_a_barrier_for_each_batch() {
        if let Some(line) = line_to_tracer() {
            return request_many(line, 65);
        }
        let calls = calls_between_traps();
        let count = |call: libc::c_long| {
            calls.iter().filter(|number| **number == call.cast_unsigned()).count()
        };
        // With their beginnings and their ends; one more barrier for the shielded thread alone.
        assert_eq!(count(libc::SYS_membarrier), 2 * (2 + 1), "among {calls:?}");
        assert_eq!(count(libc::SYS_rt_tgsigqueueinfo), 2 * 65, "among {calls:?}");
    }

    fn a_scope_of_many_threads_takes_two_barriers() {
        if let Some(line) = line_to_tracer() {
            return leave_a_scope(line, 8);
        }
        let calls = calls_between_traps();
        let barriers = calls.iter().filter(|number| **number == libc::SYS_membarrier as u64);
        // Before the threads are looked for, and before they are signalled; each with
        // its beginning and its end.
        assert_eq!(barriers.count(), 4, "among {calls:?}");
    }

    fn each_batch_has_a_barrier() {
        if let Some(line) = line_to_tracer() {
            return leave_a_scope(line, 130);
        }
        let calls = calls_between_traps();
        let barriers = calls.iter().filter(|number| **number == libc::SYS_membarrier as u64);
        // Of 64 threads, two of which are full.
        assert_eq!(barriers.count(), 2 * (1 + 3), "among {calls:?}");
    }
}

/// Marked calls that wait on the thread's flag, and whether they were stopped.
const SLEEPERS: [fn() -> bool; 4] = [
    || sleep_or_stop(Duration::MAX).is_err(),
    || Semaphore::new(0).acquire_or_stop().is_err(),
    || Semaphore::new(0).acquire_timeout_or_stop(Duration::from_secs(3_600)).is_err(),
    || {
        let (told, gate) = mpsc::channel::<()>();
        let other = thread::spawn(move || gate.recv().is_err());
        let stopped = other.join_or_stop().is_err();
        drop(told);
        stopped
    },
];

/// The system calls of the tracee's thread between its traps.
fn calls_between_traps() -> Vec<u64> {
    let (tracee, mut line) = start();
    let thread = Traced::seize(tracee.process(), line.receive_number());
    line.command(b'g');
    assert_eq!(thread.wait(), Event::Trap, "it is about to begin");
    let mut calls = Vec::new();
    loop {
        thread.go(Go::ToCall, 0);
        match thread.wait() {
            Event::Call => calls.push(thread.registers().orig_rax),
            Event::Trap => break,
            event => panic!("{event:?} among {} calls", calls.len()),
        }
    }
    thread.detach();
    line.command(b'j');
    calls
}

/// Requests the stops of all sleepers between two traps.
fn request_stops_of_sleepers(mut line: Line) {
    let (opened, gate) = pipe().unwrap();
    let sleepers = SLEEPERS.map(|sleep| {
        let waits = [libc::SYS_futex, libc::SYS_futex_waitv];
        blocked(&waits, sleep).0
    });
    let (sender, receiver) = mpsc::channel();
    let requester = std::thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        plain_read(opened.as_raw_fd()).unwrap();
        trap();
        for sleeper in &sleepers {
            sleeper.request_stop();
        }
        trap();
        sleepers.map(|sleeper| sleeper.join().unwrap())
    });
    line.send_number(receiver.recv().unwrap());
    serve(line, &gate, || {
        let stopped = requester.join().unwrap();
        assert_eq!(stopped, [true; SLEEPERS.len()]);
    });
}

/// Requests stops of so many blocked threads and one under a shield, by one call between
/// two traps.
fn request_many(mut line: Line, many: usize) {
    let (opened, gate) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let requester = std::thread::spawn(move || {
        let reader = || {
            let (mut reader, writer) = pipe().unwrap();
            let is_stopped = move || {
                let stopped = reader.read_or_stop(&mut [0]).is_err();
                drop(writer);
                stopped
            };
            blocked(&[libc::SYS_read], is_stopped).0
        };
        let mut readers: Vec<_> = (0..many).map(|_| reader()).collect();
        // Gets no signal.
        let (mut held, writer) = pipe().unwrap();
        let reads = move || shield(|| held.read_or_stop(&mut [0]).is_ok());
        readers.push(blocked(&[libc::SYS_read], reads).0);
        sender.send(thread_id()).unwrap();
        plain_read(opened.as_raw_fd()).unwrap();
        trap();
        let first = request_stop_all(&readers);
        // Nor by this one.
        assert!(!readers[many].request_stop());
        trap();
        assert_eq!(first, many + 1);
        drop(writer);
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
    });
    line.send_number(receiver.recv().unwrap());
    serve(line, &gate, || requester.join().unwrap());
}

/// Leaves a scope with many blocked threads between two traps.
fn leave_a_scope(mut line: Line, many: usize) {
    let (opened, gate) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let leaver = thread::spawn(move || {
        let (reader, _writer) = pipe().unwrap();
        let (ids, started) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..many {
                let ids = ids.clone();
                let mut reader = &reader;
                scope.spawn(move || {
                    ids.send(thread_id()).unwrap();
                    assert!(reader.read_or_stop(&mut [0]).is_err());
                });
            }
            for id in started.iter().take(many) {
                wait_until_blocked_in(id, &[libc::SYS_read]);
            }
            sender.send(thread_id()).unwrap();
            plain_read(opened.as_raw_fd()).unwrap();
            trap();
            scope.request_stop();
        });
        trap();
    });
    line.send_number(receiver.recv().unwrap());
    serve(line, &gate, || leaver.join().unwrap());
}

fn read_between_traps(mut line: Line) {
    let (opened, gate) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        let mut zero = File::open("/dev/zero").unwrap();
        // Takes the thread into use.
        assert!(check().is_ok());
        sender.send(thread_id()).unwrap();
        plain_read(opened.as_raw_fd()).unwrap();
        trap();
        for _ in 0..READS {
            assert!(zero.read_or_stop(&mut [0]).is_ok_and(|result| result.is_ok()));
        }
        trap();
    });
    line.send_number(receiver.recv().unwrap());
    serve(line, &gate, || handle.join().unwrap());
}

/// Opens the gate when it is told to, and then joins.
fn serve(mut line: Line, gate: &PipeWriter, join: impl FnOnce()) {
    let mut join = Some(join);
    while let Some(command) = line.next_command() {
        if command == b'g' {
            assert!(plain_write(gate.as_raw_fd()));
        } else {
            join.take().expect("once")();
        }
        line.send(&[command]);
    }
}
