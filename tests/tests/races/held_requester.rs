//! A requester that is held, from outside, in the middle: it knows the thread's
//! id and has not used it. The thread may end meanwhile, or fork.
//!
//! Where membarrier(2) is missing, so that every request is a signal, whatever
//! the thread does. (Not so on the ppoll backend, which does without.)

// The tracer reads x86-64's registers.
#![cfg(target_arch = "x86_64")]

use std::io::{PipeReader, pipe};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc;
use stop_tests::proc::{asleep_in, wait_for};
use stop_tests::ptrace::{Event, Go, Traced, trap};
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, catch, plain_read, plain_write, send};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::{on_backends, thread_id};
use stopruntime::ext::ReadOrStop;
use stopruntime::{check, thread};

/// How often the handler that was there before ours got the signal: a request's
/// is no other thread's.
static CHAINED: AtomicI32 = AtomicI32::new(0);

extern "C" fn earlier(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    CHAINED.fetch_add(1, Ordering::SeqCst);
}

/// The tracer's side: the thread, and who requests its stop.
fn traced() -> (Tracee, Line, i32, Traced) {
    let (tracee, mut line) = start();
    let thread = line.receive_number();
    let requester = Traced::seize(tracee.process(), line.receive_number());
    (tracee, line, thread, requester)
}

/// Goes on to the beginning of an `rt_tgsigqueueinfo(2)`; false at the end of the thread.
fn is_about_to_signal(requester: &Traced) -> bool {
    loop {
        requester.go(Go::ToCall, 0);
        match requester.wait() {
            Event::Call if requester.registers().orig_rax == libc::SYS_rt_tgsigqueueinfo as u64 => {
                return true;
            }
            Event::Call => {}
            Event::Ended => return false,
            event => panic!("{event:?}"),
        }
    }
}

on_backends! { ["rseq", "handler"];
    fn a_thread_waits_for_its_requester_before_it_ends() {
        if let Some(line) = line_to_tracer() {
            return thread_and_requester(line, || 0);
        }
        let (_tracee, mut line, thread, requester) =
            traced();
        line.command(b'r');
        assert_eq!(requester.wait(), Event::Trap, "the requester begins");
        assert!(is_about_to_signal(&requester));
        // Another thread must not have the id before it is used.
        line.command(b'e');
        wait_for("the thread to wait", || asleep_in(thread) == Some(libc::SYS_futex));
        requester.detach();
        line.command(b'j');
        assert_eq!(line.receive_number(), 0, "the earlier handler's");
    }

    fn a_thread_that_has_ended_is_not_signalled() {
        if let Some(line) = line_to_tracer() {
            return thread_and_requester(line, || 0);
        }
        let (_tracee, mut line, thread, requester) =
            traced();
        line.command(b'e');
        let task = format!("/proc/{thread}");
        wait_for("the thread's end", || !std::fs::exists(&task).unwrap());
        line.command(b'r');
        assert_eq!(requester.wait(), Event::Trap, "the requester begins");
        assert!(!is_about_to_signal(&requester), "no matter which thread has that id now");
        line.command(b'j');
        assert_eq!(line.receive_number(), 0, "the earlier handler's");
    }

    /// Its flag says that it has looked, and stays until no request is on its way.
    fn a_thread_that_has_looked_goes_to_sleep_meanwhile() {
        if let Some(line) = line_to_tracer() {
            return thread_and_requester(line, || 0);
        }
        let (_tracee, mut line, _, requester) = traced();
        line.command(b'r');
        assert_eq!(requester.wait(), Event::Trap, "the requester begins");
        assert!(is_about_to_signal(&requester));
        line.command(b'n');
        let new = line.receive_number();
        wait_for("the new thread to wait", || asleep_in(new) == Some(libc::SYS_read));
        requester.detach();
        line.command(b'e');
        line.command(b'j');
        assert_eq!(line.receive_number(), 0, "the earlier handler's");
    }

    /// The requester does not exist there, and its signal never comes.
    fn a_forked_child_waits_for_no_requester_and_expects_no_signal() {
        if let Some(line) = line_to_tracer() {
            return thread_and_requester(line, || in_a_child(fork, takes_a_signal));
        }
        a_child_is_stopped_while_a_requester_is_held();
    }

    /// Until its first marked call it is not known as one, and may take a signal for the
    /// request's.
    fn nor_does_a_child_that_libc_has_not_made_wait() {
        if let Some(line) = line_to_tracer() {
            return thread_and_requester(line, || in_a_child(raw_clone, || true));
        }
        a_child_is_stopped_while_a_requester_is_held();
    }
}

fn a_child_is_stopped_while_a_requester_is_held() {
    let (_tracee, mut line, _, requester) = traced();
    line.command(b'r');
    assert_eq!(requester.wait(), Event::Trap, "the requester begins");
    assert!(is_about_to_signal(&requester));
    line.command(b'e');
    line.command(b's');
    assert_eq!(line.receive_number(), 0, "the child's status");
    requester.detach();
    line.command(b'j');
}

/// Tracee: a thread that does this and ends, and one that requests its stop,
/// each when told to.
fn thread_and_requester(mut line: Line, then: fn() -> i32) {
    catch(STOP, earlier, libc::SA_RESTART, &[]);
    deny(libc::SYS_membarrier, libc::ENOSYS);
    let (sender, receiver) = mpsc::channel();
    let tids = sender.clone();
    let (told, tell) = pipe().unwrap();
    let (done, outcome) = mpsc::channel();
    let thread = thread::spawn(move || {
        // Takes it into use.
        assert!(check().is_ok());
        tids.send(thread_id()).unwrap();
        plain_read(told.as_raw_fd()).unwrap();
        done.send(then()).unwrap();
    });
    line.send_number(receiver.recv().unwrap());
    let (gate, open) = pipe().unwrap();
    let stopper = thread.stopper();
    let requester = std::thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        plain_read(gate.as_raw_fd()).unwrap();
        trap();
        stopper.request_stop();
    });
    line.send_number(receiver.recv().unwrap());
    loop {
        let command = line.next_command().expect("the tracer is there");
        match command {
            b'e' => assert!(plain_write(tell.as_raw_fd())),
            b'r' => assert!(plain_write(open.as_raw_fd())),
            _ => {}
        }
        line.send(&[command]);
        match command {
            b's' => line.send_number(outcome.recv().unwrap()),
            b'n' => line.send_number(new_reader()),
            b'j' => break,
            _ => {}
        }
    }
    requester.join().unwrap();
    thread.join().unwrap();
    line.send_number(CHAINED.load(Ordering::SeqCst));
}

/// The id of a thread that begins now, and waits in a marked call until the process ends.
fn new_reader() -> i32 {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        let _ = quiet().read_or_stop(&mut [0]);
    });
    receiver.recv().unwrap()
}

fn fork() -> libc::pid_t {
    // SAFETY: the child goes on with this thread alone, and ends soon.
    unsafe { libc::fork() }
}

fn raw_clone() -> libc::pid_t {
    // SAFETY: as above.
    let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    child.try_into().unwrap()
}

fn takes_a_signal() -> bool {
    send(thread_id(), STOP);
    CHAINED.load(Ordering::SeqCst) == 1
}

/// The status of a child that does this and is stopped in a marked call.
fn in_a_child(made: fn() -> libc::pid_t, does: fn() -> bool) -> i32 {
    let child = made();
    if child == 0 {
        // SAFETY: integers. Not left behind if it hangs.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let told = does();
        let stopped = quiet().read_or_stop(&mut [0]).is_err();
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(!told) + 2 * i32::from(!stopped)) }
    }
    let mut status = -1;
    // SAFETY: our child, a valid place.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status
}

/// The reading end of a pipe whose writing end is never closed.
fn quiet() -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    core::mem::forget(writer);
    reader
}
