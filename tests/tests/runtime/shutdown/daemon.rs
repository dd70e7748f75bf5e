//! A test's own program as a daemon, which gets real signals.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use stop_tests::proc::{rest, wait_for};
use stop_tests::{this_program, this_test};

const DAEMON: &str = "STOP_TESTS_DAEMON";

/// The test's own program again, as a daemon.
pub(super) struct Daemon {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Daemon {
    /// Starts it, and waits until it says that it is ready.
    pub(super) fn start() -> Daemon {
        Daemon::start_saying("ready")
    }

    /// As [`start`](Daemon::start), for one that says something else.
    pub(super) fn start_saying(what: &str) -> Daemon {
        let mut daemon = Daemon::start_with("1");
        daemon.says(what);
        daemon
    }

    /// Starts it, and tells it this.
    pub(super) fn start_with(task: &str) -> Daemon {
        let mut command = this_program();
        command.args(this_test()).env(DAEMON, task).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Daemon { child, lines }
    }

    /// The next line that it says.
    pub(super) fn line(&mut self) -> String {
        self.lines.next().expect("it goes on").unwrap()
    }

    pub(super) fn says(&mut self, what: &str) {
        assert_eq!(self.lines.next().map(Result::unwrap).as_deref(), Some(what));
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Its end, which comes soon, and that it says no more. If it does not come, what the
    /// daemon was told or did is at fault, and the test says so.
    pub(super) fn ends(mut self) -> ExitStatus {
        let id = self.child.id().cast_signed();
        // Not reaped yet: its id is no other process's.
        wait_for("the daemon to end", || rest(id).state == "Z");
        let rest: Vec<String> = self.lines.by_ref().map(Result::unwrap).collect();
        assert_eq!(rest, [""; 0]);
        self.child.wait().unwrap()
    }
}

impl Drop for Daemon {
    /// Of a test that has failed: the daemon does not outlive it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn is_daemon() -> bool {
    std::env::var_os(DAEMON).is_some()
}

/// What the daemon has been told.
pub(super) fn task() -> Option<String> {
    std::env::var(DAEMON).ok()
}

pub(super) fn say(what: &str) {
    // Not by `eprintln`, which makes more than one write of it.
    io::stderr().write_all(format!("{what}\n").as_bytes()).unwrap();
}
