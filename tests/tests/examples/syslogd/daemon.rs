//! `syslogd` as a process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use stop_tests::directory::Directory;

use crate::example;

/// Only a hang comes near it.
fn limit() -> Duration {
    stop_tests::limit() / 3
}

pub(crate) struct Daemon {
    child: Child,
    said: BufReader<ChildStdout>,
    directory: Directory,
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
}

/// What a daemon that has ended leaves.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) file: Vec<u8>,
    /// What it wrote to standard output after the addresses.
    pub(crate) counts: String,
    pub(crate) errors: String,
}

impl Daemon {
    /// With one listener of each kind.
    pub(crate) fn start() -> Daemon {
        let directory = Directory::new().expect("a directory can be made");
        // A daemon that is killed leaves its socket's name: it is replaced.
        drop(UnixDatagram::bind(directory.join("socket")).expect("a socket can be made"));
        let mut child = command()
            .args(["--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--unix"])
            .arg(directory.join("socket"))
            .arg("--output")
            .arg(directory.join("log"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("syslogd starts");
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        let mut next = |kind: &str| {
            let mut line = String::new();
            said.read_line(&mut line).expect("syslogd says where it listens");
            let address = line.trim_end().strip_prefix(&format!("listening on {kind} "));
            address.unwrap_or_else(|| panic!("no address of {kind} in {line:?}")).to_owned()
        };
        let udp = next("udp").parse().expect("an address");
        let tcp = next("tcp").parse().expect("an address");
        assert_eq!(next("unix"), directory.join("socket").to_str().expect("a plain path"));
        Daemon { child, said, directory, udp, tcp }
    }

    pub(crate) fn unix(&self) -> PathBuf {
        self.directory.join("socket")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        let process = self.child.id().cast_signed();
        // SAFETY: takes no pointers; the child is not reaped, so the id is its.
        let sent = unsafe { libc::kill(process, signal) };
        assert_eq!(sent, 0, "the signal cannot be sent");
    }

    /// The lines of its next report.
    pub(crate) fn report(&mut self) -> Vec<String> {
        let head = self.complaint();
        let count = head.strip_prefix("syslogd: ").and_then(|head| head.strip_suffix(" threads:"));
        let count = count.unwrap_or_else(|| panic!("no report: {head}"));
        (0..count.parse().expect("a number")).map(|_| self.complaint()).collect()
    }

    /// The next line of its errors.
    fn complaint(&mut self) -> String {
        let errors = self.child.stderr.as_mut().expect("piped");
        // Not a byte more: the rest is for the end.
        let mut line = String::new();
        BufReader::with_capacity(1, errors).read_line(&mut line).expect("it complains in text");
        line.truncate(line.trim_end().len());
        line
    }

    /// Stops it as a debugger does: what is sent now waits in the kernel.
    pub(crate) fn freeze(&self) {
        self.signal(libc::SIGSTOP);
        wait_until("all threads are stopped", || {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
            tasks.flatten().all(|task| {
                let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
            })
        });
    }

    /// A request to end that it finds when it goes on.
    pub(crate) fn terminate_and_thaw(&self) {
        self.signal(libc::SIGTERM);
        self.signal(libc::SIGCONT);
    }

    /// Waits until the file has this many lines.
    pub(crate) fn wait_for_lines(&self, count: usize) {
        let file = File::open(self.directory.join("log")).expect("the file is there");
        let (mut position, mut seen) = (0, 0);
        let mut buffer = vec![0; 64 * 1024];
        wait_until(&format!("the file has {count} lines"), || {
            let length = file.read_at(&mut buffer, position).expect("the file can be read");
            position += length as u64;
            seen += lines_in(&buffer[..length]);
            seen >= count
        });
    }

    /// Waits for its end, during which `meanwhile` is called again and again.
    pub(crate) fn end_while(mut self, mut meanwhile: impl FnMut(&Daemon)) -> Ended {
        let deadline = Instant::now() + limit();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(Instant::now() < deadline, "syslogd does not end");
            meanwhile(&self);
            std::thread::yield_now();
        };
        let (mut counts, mut errors) = (String::new(), String::new());
        self.said.read_to_string(&mut counts).expect("what it said is text");
        let stderr = self.child.stderr.as_mut().expect("piped");
        stderr.read_to_string(&mut errors).expect("what it complained of is text");
        let file = fs::read(self.directory.join("log")).expect("the file is there");
        assert!(!self.directory.join("socket").exists(), "the Unix socket's name is left over");
        Ended { status, file, counts, errors }
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.end_while(|_| ())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A test that has failed leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The file's text, once the exit was clean and the counts agree with it.
    pub(crate) fn text(&self) -> &str {
        let text = str::from_utf8(&self.file).expect("these senders send text");
        self.check_counts();
        text
    }

    /// The exit was clean, and the counts printed are those of the file.
    pub(crate) fn check_counts(&self) {
        assert!(self.status.success(), "{}: {}", self.status, self.errors);
        let lines = lines_in(&self.file);
        let mut total = (0, 0);
        for count in self.counts.lines().filter(|line| line.contains(" bad), ")) {
            total.0 += number_before(count, " lines (");
            total.1 += number_before(count, " bytes");
        }
        assert_eq!(total, (lines, self.file.len()), "{}", self.counts);
        let written = self.counts.lines().find(|line| line.contains(": wrote "));
        let written = written.expect("the writer's count is printed");
        let written = (number_before(written, " lines,"), number_before(written, " bytes"));
        assert_eq!(written, (lines, self.file.len()), "{}", self.counts);
    }

    /// How many bad lines a listener of this kind has counted.
    pub(crate) fn bad(&self, kind: &str) -> usize {
        let of_kind = |line: &&str| line.starts_with(kind) && line.contains(" bad)");
        number_before(self.counts.lines().find(of_kind).expect("a count for each"), " bad)")
    }
}

/// How many lines end in these bytes.
pub(crate) fn lines_in(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// The number that stands before `unit`.
pub(crate) fn number_before(line: &str, unit: &str) -> usize {
    let end = line.find(unit).unwrap_or_else(|| panic!("no {unit:?} in {line:?}"));
    let start = line[..end].rfind(|character: char| !character.is_ascii_digit());
    line[start.map_or(0, |at| at + 1)..end].parse().expect("a number")
}

/// `syslogd`, with no arguments yet.
pub(crate) fn command() -> Command {
    let mut command = stop_tests::program(&example::path("syslogd"));
    command.env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// Looks again until it is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit();
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}
