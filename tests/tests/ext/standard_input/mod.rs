//! Standard input, read by several marked threads: each has whole lines, and
//! a reader that waits for its turn can be stopped. One test in a process: standard
//! input is the process's own.

#![allow(unsafe_code)]

mod readers;

use libc::{SYS_futex, SYS_futex_waitv, SYS_ppoll, SYS_read};
use std::io::{self, BufRead, PipeWriter, Read, Write, stdin};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::mpsc;
use stop_tests::{FUTEXES, on_backends, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::expansion::NextOrStop;
use stopruntime::ext::{BufReadOrStop, LockOrStop, ReadOrStop, StdinOrStop};
use stopruntime::thread;
use stopruntime::thread::JoinHandle;

const TURN: [libc::c_long; 2] = [SYS_futex, SYS_futex_waitv];
const READ: [libc::c_long; 2] = [SYS_read, SYS_ppoll];

/// Standard input is a pipe from now on.
fn feed() -> PipeWriter {
    let (reader, writer) = io::pipe().unwrap();
    // SAFETY: two descriptors; standard input is this process's alone.
    assert_eq!(unsafe { libc::dup2(reader.as_raw_fd(), 0) }, 0);
    writer
}

/// Starts a reader, and waits until it is blocked in one of these calls.
fn reader<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
    calls: &[libc::c_long],
) -> (JoinHandle<T>, i32) {
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        body()
    });
    let id = receiver.recv().unwrap();
    wait_until_blocked_in(id, calls);
    (handle, id)
}

/// What has not been read of it yet.
fn unread(writer: &PipeWriter) -> libc::c_int {
    let mut length = 0;
    // SAFETY: a query into a valid place.
    assert_eq!(unsafe { libc::ioctl(writer.as_raw_fd(), libc::FIONREAD, &raw mut length) }, 0);
    length
}

/// Writes a part of a line, and waits until it is read and more is waited for.
fn write_part(writer: &mut PipeWriter, part: &str, reader: i32) {
    writer.write_all(part.as_bytes()).unwrap();
    while unread(writer) != 0 {
        std::thread::yield_now();
    }
    wait_until_blocked_in(reader, &READ);
}

on_backends! {
    FUTEXES;

    fn a_thread_that_waits_for_its_turn_is_stopped() {
        let mut writer = feed();
        let (first, id) = reader(readers::line, &READ);
        for second in readers::LINES.into_iter().chain([readers::all_of_it, readers::a_copy]) {
            let (second, _) = reader(second, &TURN);
            // Joined with no time-out of its own: what is lost hangs.
            second.stop_and_join().unwrap().unwrap_or_default();
        }
        // It has not been disturbed.
        write_part(&mut writer, "who", id);
        writer.write_all(b"le\n").unwrap();
        assert_eq!(first.join().unwrap().unwrap(), "whole\n");
    }
}

per_backend! {
    fn a_line_that_comes_in_parts_is_not_torn() {
        let mut writer = feed();
        for marked in readers::LINES {
            let (first, id) = reader(marked, &READ);
            let (second, _) = reader(readers::line, &TURN);
            write_part(&mut writer, "the fi", id);
            writer.write_all(b"rst\nthe second\n").unwrap();
            assert_eq!(first.join().unwrap().unwrap(), "the first\n");
            assert_eq!(second.join().unwrap().unwrap(), "the second\n");
        }
    }

    fn what_is_read_exactly_is_not_torn() {
        let mut writer = feed();
        let exactly = || {
            let mut four = [0; 4];
            stdin().read_exact_or_stop(&mut four).unwrap().map(|()| four)
        };
        let (first, id) = reader(exactly, &READ);
        let (second, _) = reader(exactly, &TURN);
        write_part(&mut writer, "12", id);
        writer.write_all(b"345678").unwrap();
        assert_eq!(first.join().unwrap().unwrap(), *b"1234");
        assert_eq!(second.join().unwrap().unwrap(), *b"5678");
    }

    /// The part that the stopped loop has read is the next reader's.
    fn a_stopped_loop_leaves_the_line_whole() {
        let mut writer = feed();
        let of_std = || {
            let mut lines = stdin().lock().lines_or_stop();
            NextOrStop::next_or_stop(&mut lines).unwrap_err().progress()
        };
        let (stopped, id) = reader(readers::first_of_lines, &READ);
        write_part(&mut writer, "a ", id);
        stopped.stop_and_join().unwrap().unwrap_err();
        let (stopped, id) = reader(of_std, &READ);
        write_part(&mut writer, "whole ", id);
        assert_eq!(stopped.stop_and_join().unwrap(), 0);
        writer.write_all(b"line\nand more\n").unwrap();
        let mut line = String::new();
        assert_eq!(stdin().read_line_or_stop(&mut line).unwrap().unwrap(), 13);
        assert_eq!(line, "a whole line\n");
        line.clear();
        stdin().lock().read_line_or_stop(&mut line).unwrap().unwrap();
        assert_eq!(line, "and more\n");
    }

    /// Without a loop it is the caller's, as is said by its progress.
    fn a_stopped_call_hands_over_its_part() {
        let mut writer = feed();
        let part = || {
            let mut line = String::new();
            let progress = stdin().read_line_or_stop(&mut line).unwrap_err().progress();
            (line, progress)
        };
        let (stopped, id) = reader(part, &READ);
        write_part(&mut writer, "a part", id);
        assert_eq!(stopped.stop_and_join().unwrap(), ("a part".to_owned(), 6));
    }

    fn the_guard_keeps_others_out_until_it_is_dropped() {
        let mut writer = feed();
        writer.write_all(b"one\ntwo\nthree\nfour\n").unwrap();
        let mut guard = stdin().lock_or_stop().unwrap();
        let (other, _) = reader(readers::line, &TURN);
        let mut own = String::new();
        guard.read_line(&mut own).unwrap();
        let mut three = [0; 3];
        guard.read_exact(&mut three).unwrap();
        assert_eq!((own.as_str(), &three), ("one\n", b"two"));
        guard.read_line_or_stop(&mut own).unwrap().unwrap();
        drop(guard);
        assert_eq!(other.join().unwrap().unwrap(), "three\n");
        assert_eq!(readers::line().unwrap(), "four\n");
    }

    /// More than the buffer holds, and after what is in it.
    fn a_long_read_comes_after_what_is_buffered() {
        let mut writer = feed();
        let sent: Vec<u8> = (0..20_000_u32).map(|at| (at % 251) as u8).collect();
        writer.write_all(&sent).unwrap();
        drop(writer);
        let mut got = vec![0; 1];
        stdin().read_exact_or_stop(&mut got).unwrap().unwrap();
        let mut long = vec![0; 10_000];
        loop {
            match (&stdin()).read_or_stop(&mut long).unwrap().unwrap() {
                0 => break,
                length => got.extend_from_slice(&long[..length]),
            }
        }
        assert_eq!(got, sent);
    }

    /// As std has it.
    fn a_closed_one_is_empty() {
        // SAFETY: standard input is this process's alone, and unused.
        assert_eq!(unsafe { libc::close(0) }, 0);
        assert_eq!(stdin().read(&mut [0]).unwrap(), 0);
        assert_eq!(stdin().read_or_stop(&mut [0]).unwrap().unwrap(), 0);
        assert_eq!(stdin().read_to_end_or_stop(&mut Vec::new()).unwrap().unwrap(), 0);
        assert_eq!(stdin().read_line_or_stop(&mut String::new()).unwrap().unwrap(), 0);
    }

    /// The thread whose turn it is is not in the child.
    fn a_forked_child_has_a_turn_of_its_own() {
        if stop_tests::emulation_hides("a fork of several threads", stop_tests::NO_FORKS) {
            return;
        }
        let mut writer = feed();
        let (first, id) = reader(readers::line, &READ);
        // SAFETY: the child makes calls that are sound in it, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            feed().write_all(b"the child's\n").unwrap();
            let mut line = String::new();
            let read = stdin().read_line_or_stop(&mut line);
            // SAFETY: ends the process.
            unsafe { libc::_exit(i32::from(read.is_err() || line != "the child's\n")) }
        }
        let mut status = -1;
        // SAFETY: a child of this process, and a place for its status.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        write_part(&mut writer, "the par", id);
        writer.write_all(b"ent's\n").unwrap();
        assert_eq!(first.join().unwrap().unwrap(), "the parent's\n");
    }

    /// What the forking thread itself has is in the child as well.
    fn a_turn_that_the_forking_thread_has_is_the_childs() {
        let mut writer = feed();
        writer.write_all(b"one\ntwo\n").unwrap();
        let mut guard = stdin().lock_or_stop().unwrap();
        let mut line = String::new();
        guard.read_line(&mut line).unwrap();
        // SAFETY: the child makes calls that are sound in it, and ends.
        let child = unsafe { libc::fork() };
        line.clear();
        guard.read_line(&mut line).unwrap();
        drop(guard);
        if child == 0 {
            let _ = feed().into_raw_fd();
            let free = stdin().lock_or_stop().is_ok();
            // SAFETY: ends the process.
            unsafe { libc::_exit(i32::from(!free || line != "two\n")) }
        }
        let mut status = -1;
        // SAFETY: a child of this process, and a place for its status.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!((status, line.as_str()), (0, "two\n"));
    }
}
