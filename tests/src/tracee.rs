//! A child process for a tracer: the test binary again, running the same test
//! with the other part. A thread cannot trace one of its own process.

use crate::proc::limit;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

const TRACEE: &str = "STOP_TESTS_TRACEE";

/// The line between both; each side reads what the other writes.
pub struct Line(UnixStream);

impl Line {
    /// Sends these bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the other side listens");
    }

    /// # Panics
    ///
    /// If the other side has gone or hangs.
    pub fn receive<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("the other side answers");
        bytes
    }

    /// A thread's id, a count, a result.
    pub fn send_number(&mut self, number: i32) {
        self.send(&number.to_ne_bytes());
    }

    /// What [`Line::send_number`] has sent.
    pub fn receive_number(&mut self) -> i32 {
        i32::from_ne_bytes(self.receive())
    }

    /// One command, then the byte that says it is done.
    pub fn command(&mut self, command: u8) {
        self.send(&[command]);
        let [answer] = self.receive();
        assert_eq!(answer, command);
    }

    /// The next command, unless the tracer has gone.
    pub fn next_command(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte).ok().map(|()| byte[0])
    }
}

/// In the tracee: its line to the tracer.
pub fn line_to_tracer() -> Option<Line> {
    std::env::var_os(TRACEE)?;
    // SAFETY: the tracer has put one end of the line there, and nothing else
    // uses standard input.
    let stream = unsafe { OwnedFd::from_raw_fd(libc::STDIN_FILENO) };
    Some(Line(stream.into()))
}

/// The tracee, ended with its owner.
pub struct Tracee(Child);

impl Tracee {
    /// The id of the process.
    pub fn process(&self) -> i32 {
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

/// Starts this test as the tracee.
pub fn start() -> (Tracee, Line) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    ours.set_read_timeout(Some(limit())).expect("a time-out");
    let child = crate::this_program()
        .args(crate::this_test())
        .env(TRACEE, "1")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .spawn()
        .expect("the tracee starts");
    (Tracee(child), Line(ours))
}
