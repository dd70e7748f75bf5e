//! A child process for a tracer: the test binary again, running the same test
//! with the other part. A thread cannot trace one of its own process.

use super::proc::limit;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

const TRACEE: &str = "STOP_TESTS_TRACEE";

/// The line between both; each side reads what the other writes.
pub(crate) struct Line(UnixStream);

impl Line {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the other side listens");
    }

    /// # Panics
    ///
    /// If the other side has gone or hangs.
    pub(crate) fn receive<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("the other side answers");
        bytes
    }

    /// A thread's id, a count, a result.
    pub(crate) fn send_number(&mut self, number: i32) {
        self.send(&number.to_ne_bytes());
    }

    pub(crate) fn receive_number(&mut self) -> i32 {
        i32::from_ne_bytes(self.receive())
    }

    /// One command, then the byte that says it is done.
    pub(crate) fn command(&mut self, command: u8) {
        self.send(&[command]);
        let [answer] = self.receive();
        assert_eq!(answer, command);
    }

    /// The next command, unless the tracer has gone.
    pub(crate) fn next_command(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte).ok().map(|()| byte[0])
    }
}

/// In the tracee: its line to the tracer.
pub(crate) fn line_to_tracer() -> Option<Line> {
    std::env::var_os(TRACEE)?;
    // SAFETY: the tracer has put one end of the line there, and nobody else
    // uses standard input.
    let stream = unsafe { OwnedFd::from_raw_fd(libc::STDIN_FILENO) };
    Some(Line(stream.into()))
}

/// The tracee, ended with its owner.
pub(crate) struct Tracee(Child);

impl Tracee {
    pub(crate) fn process(&self) -> i32 {
        self.0.id().cast_signed()
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        let _ = self.0.kill();
        // Not `Child::wait`: the process is gone only when its traced threads
        // have been waited for, each by itself.
        // SAFETY: no status is asked for.
        while unsafe { libc::waitpid(-1, core::ptr::null_mut(), libc::__WALL) } > 0 {}
    }
}

/// Starts this test, by its name in the harness, as the tracee.
pub(crate) fn start(test: &str) -> (Tracee, Line) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    ours.set_read_timeout(Some(limit())).expect("a time-out");
    let child = stop_tests::this_program()
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(TRACEE, "1")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .spawn()
        .expect("the tracee starts");
    (Tracee(child), Line(ours))
}
