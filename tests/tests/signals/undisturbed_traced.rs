//! That unmarked code is not disturbed, seen from outside: a tracer sees each
//! signal that is about to be delivered, and can hold a requester between its
//! look at the marker and its signal.

#![cfg(target_arch = "x86_64")]

use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stop_tests::proc::{asleep_in, wait_for};
use stop_tests::ptrace::{Event, Go, Traced, trap};
use stop_tests::signals::{STOP, errno, plain_read, plain_write, waiting};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::sync::Semaphore;
use stopruntime::thread;

/// The calls a marked read waits in: `read`, or with the ppoll backend `ppoll`.
const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

per_backend! {
    fn a_running_thread_gets_no_signal() {
        if let Some(line) = line_to_tracer() {
            return runner_and_reader(line);
        }
        let (tracee, mut line) = start();
        let runner = Traced::seize(tracee.process(), line.receive_number());
        let reader = Traced::seize(tracee.process(), line.receive_number());
        line.command(b'r');
        // The signal of a request is seen here: the proof that it would be.
        assert_eq!(reader.wait(), Event::Signal(STOP));
        reader.go(Go::On, STOP);
        // The runner ends because it is told to, with not one stop before.
        line.command(b'e');
        assert_eq!(runner.wait(), Event::Ended);
    }

    /// A second one would end one more system call. Here the kernel does not restart the call
    /// (signal(7)), so that the signal finds the thread behind it.
    fn a_stopped_read_takes_one_signal() {
        if let Some(line) = line_to_tracer() {
            return between_traps(line, read_until_stopped);
        }
        let (tracee, mut line) = start();
        let reads = [libc::SYS_recvfrom, libc::SYS_ppoll];
        let reader = asleep_behind_its_trap(&tracee, &mut line, &reads);
        line.command(b'r');
        assert_eq!(reader.wait(), Event::Signal(STOP));
        reader.go(Go::On, STOP);
        assert_eq!(reader.wait(), Event::Trap, "stopped");
        reader.detach();
        line.command(b'j');
    }

    /// It sleeps on its flag, and is woken.
    fn a_stopped_sleep_takes_none() {
        if let Some(line) = line_to_tracer() {
            return between_traps(line, || sleep_or_stop(Duration::MAX).is_err());
        }
        stopped_without_a_signal(&[libc::SYS_futex]);
    }

    /// Likewise.
    fn a_stopped_wait_for_another_thread_takes_none() {
        if let Some(line) = line_to_tracer() {
            return between_traps(line, || Semaphore::new(0).acquire_or_stop().is_err());
        }
        stopped_without_a_signal(&[libc::SYS_futex_waitv]);
    }

    fn a_signal_on_its_way_is_waited_for() {
        if let Some(line) = line_to_tracer() {
            return reader_and_requester(line);
        }
        let (tracee, mut line) = start();
        let reader = line.receive_number();
        let requester = Traced::seize(tracee.process(), line.receive_number());
        wait_for("the marked read", || asleep_in(reader).is_some_and(|call| READS.contains(&call)));
        line.command(b'r');
        stop_before_its_signal(&requester);
        // It has found the reader inside and is about to send. Now the read
        // returns with data, and the reader goes on to its plain poll, unless
        // it waits.
        line.command(b'd');
        wait_for("the reader to leave its read and to sleep", || match asleep_in(reader) {
            // It waits for the requester.
            Some(libc::SYS_futex) => true,
            // Still in the marked call, unless that has taken its byte.
            Some(_) => { line.command(b'?'); line.receive_number() == 0 }
            None => false,
        });
        let task = format!("/proc/{}", requester.thread());
        requester.detach();
        wait_for("the requester's end", || !std::fs::exists(&task).unwrap());
        // Whatever it did until now: its poll ends for the byte it waits for.
        line.command(b'p');
        assert_eq!(line.receive_number(), 1, "bytes read by the marked read");
        assert_eq!(line.receive_number(), 1, "the plain poll's result");
    }

    fn a_requester_whose_signal_has_come_is_not_waited_for() {
        if let Some(line) = line_to_tracer() {
            return reader_and_requester(line);
        }
        let (tracee, mut line) = start();
        let reader = line.receive_number();
        let requester = Traced::seize(tracee.process(), line.receive_number());
        wait_for("the marked read", || asleep_in(reader).is_some_and(|call| READS.contains(&call)));
        line.command(b'r');
        stop_before_its_signal(&requester);
        requester.go(Go::ToCall, 0);
        assert_eq!(requester.wait(), Event::Call, "the signal is sent");
        // The requester stands still, and the reader goes on all the same.
        wait_for("the reader's plain poll", || {
            let call = asleep_in(reader);
            assert_ne!(call, Some(libc::SYS_futex), "the reader waits for the requester");
            call == Some(libc::SYS_poll)
        });
        requester.detach();
        line.command(b'p');
        assert_eq!(line.receive_number(), 0, "bytes read by the marked read");
        assert_eq!(line.receive_number(), 1, "the plain poll's result");
    }
}

/// The tracee's thread, asleep in one of these calls behind its first trap.
fn asleep_behind_its_trap(tracee: &Tracee, line: &mut Line, calls: &[libc::c_long]) -> Traced {
    let thread = Traced::seize(tracee.process(), line.receive_number());
    line.command(b'g');
    assert_eq!(thread.wait(), Event::Trap, "the call begins");
    thread.go(Go::On, 0);
    wait_for("the marked call", || {
        asleep_in(thread.thread()).is_some_and(|call| calls.contains(&call))
    });
    thread
}

fn stopped_without_a_signal(calls: &[libc::c_long]) {
    let (tracee, mut line) = start();
    let sleeper = asleep_behind_its_trap(&tracee, &mut line, calls);
    line.command(b'r');
    assert_eq!(sleeper.wait(), Event::Trap, "stopped, and nothing before");
    sleeper.detach();
    line.command(b'j');
}

/// Lets the requester go until it is about to send its signal.
fn stop_before_its_signal(requester: &Traced) {
    assert_eq!(requester.wait(), Event::Trap, "the requester begins");
    loop {
        requester.go(Go::ToCall, 0);
        assert_eq!(requester.wait(), Event::Call, "the requester sent no signal");
        if requester.registers().orig_rax == libc::SYS_rt_tgsigqueueinfo as u64 {
            return;
        }
    }
}

/// Tracee: one thread that runs, one in a marked read, both requested.
fn runner_and_reader(mut line: Line) {
    let running = Arc::new(AtomicBool::new(true));
    let (sender, receiver) = mpsc::channel();
    let (tids, go_on) = (sender.clone(), Arc::clone(&running));
    let runner = thread::spawn(move || {
        let _window_used = read_a_byte_that_is_there();
        tids.send(thread_id()).unwrap();
        while go_on.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    line.send_number(receiver.recv().unwrap());
    let (mut data, _writer) = pipe().unwrap();
    let reader = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        data.read_or_stop(&mut [0]).is_err()
    });
    let thread = receiver.recv().unwrap();
    wait_until_blocked_in(thread, &READS);
    line.send_number(thread);
    while let Some(command) = line.next_command() {
        if command == b'r' {
            for _ in 0..1_000 {
                runner.request_stop();
            }
            reader.request_stop();
        } else {
            running.store(false, Ordering::Relaxed);
        }
        line.send(&[command]);
    }
}

/// Tracee: a marked call, which tells whether it was stopped, between two traps.
fn between_traps(mut line: Line, marked: fn() -> bool) {
    let (gate, gate_in) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        plain_read(gate.as_raw_fd()).unwrap();
        trap();
        assert!(marked());
        trap();
    });
    line.send_number(receiver.recv().unwrap());
    let mut sleeper = Some(sleeper);
    while let Some(command) = line.next_command() {
        match command {
            b'g' => assert!(plain_write(gate_in.as_raw_fd())),
            b'r' => assert!(sleeper.as_ref().is_some_and(thread::JoinHandle::request_stop)),
            _ => sleeper.take().expect("once").join().unwrap(),
        }
        line.send(&[command]);
    }
}

fn read_until_stopped() -> bool {
    let (mut reader, _writer) = UnixStream::pair().unwrap();
    reader.set_read_timeout(Some(Duration::from_secs(1_000))).unwrap();
    reader.read_or_stop(&mut [0]).is_err()
}

fn read_a_byte_that_is_there() -> usize {
    let (mut reader, writer) = pipe().unwrap();
    assert!(plain_write(writer.as_raw_fd()));
    reader.read_or_stop(&mut [0]).unwrap().unwrap()
}

/// Tracee: a marked read with a plain poll behind it, and who requests.
fn reader_and_requester(mut line: Line) {
    let (data, mut data_in) = pipe().unwrap();
    let (quiet, mut quiet_in) = pipe().unwrap();
    let (gate, mut gate_in) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let tids = sender.clone();
    let mut marked = data.try_clone().unwrap();
    let reader = thread::spawn(move || {
        tids.send(thread_id()).unwrap();
        let read = marked.read_or_stop(&mut [0]).map_or(0, |result| result.unwrap());
        (read, poll_readable(&quiet))
    });
    line.send_number(receiver.recv().unwrap());
    let stopper = reader.stopper();
    let requester = std::thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        plain_read(gate.as_raw_fd()).unwrap();
        trap();
        stopper.request_stop();
    });
    line.send_number(receiver.recv().unwrap());
    serve(&mut line, &data, &mut data_in, &mut gate_in, &mut quiet_in);
    requester.join().unwrap();
    let (read, polled) = reader.join().unwrap();
    line.send_number(i32::try_from(read).unwrap());
    line.send_number(polled);
}

fn serve(
    line: &mut Line,
    data: &PipeReader,
    data_in: &mut PipeWriter,
    gate_in: &mut PipeWriter,
    quiet_in: &mut PipeWriter,
) {
    loop {
        let command = line.next_command().expect("the tracer is there");
        let opened = match command {
            b'r' => plain_write(gate_in.as_raw_fd()),
            b'd' => plain_write(data_in.as_raw_fd()),
            b'p' => plain_write(quiet_in.as_raw_fd()),
            _ => true,
        };
        assert!(opened);
        line.send(&[command]);
        match command {
            b'?' => line.send_number(waiting(data)),
            b'p' => return,
            _ => {}
        }
    }
}

/// poll(2) until readable: 1, or the negated errno.
fn poll_readable(reader: &PipeReader) -> i32 {
    let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    let ready = unsafe { libc::poll(&raw mut entry, 1, -1) };
    if ready < 0 { -errno() } else { ready }
}
