//! A process for each test and backend.

use crate::{
    BACKENDS, NO_FILTERS, NOT_TESTED, churn, emulation_hides, kill_with_descendants, limit,
    not_tested, seccomp,
};
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

const BACKEND: &str = "STOPRUNTIME_BACKEND";
const CHILD: &str = "STOP_TESTS_CHILD";

/// No test has more stresses, one after the other, each as long as
/// [`churn::seconds`] says.
const STRESSES: u32 = 4;

/// Runs `body` in a child process for each backend, or, in that child, runs it.
///
/// # Panics
///
/// If a child fails or hangs.
pub fn run(path: &str, backends: &[&str], body: fn()) {
    if is_child() {
        let backend = std::env::var(BACKEND).unwrap_or_default();
        body();
        if BACKENDS.contains(&backend.as_str()) {
            // Or the test would have looked at another one.
            assert_eq!(stopruntime::support().ignored, None);
        }
        return;
    }
    // The harness names a test by its path inside the test crate.
    let name = path.split_once("::").map_or(path, |(_crate, name)| name);
    let forced = std::env::var(BACKEND).ok();
    let is_asked_for = |backend: &&&str| {
        forced.as_deref().is_none_or(|forced| forced == name_of(backend))
            // What an emulator of user space lacks is its own affair.
            && (name_of(backend) == **backend || !emulation_hides(backend, NO_FILTERS))
    };
    let backends = backends.iter().filter(is_asked_for);
    // An emulated processor is slow enough with one of them.
    if stop_testkit::emulated::is_emulated() {
        return backends.for_each(|backend| run_child(name, backend));
    }
    // At once, for most tests wait more than they compute.
    std::thread::scope(|scope| {
        let children: Vec<_> =
            backends.map(|backend| scope.spawn(move || run_child(name, backend))).collect();
        let ended: Vec<_> = children.into_iter().map(ScopedJoinHandle::join).collect();
        if let Some(panic) = ended.into_iter().find_map(Result::err) {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Without what it is without.
fn name_of(backend: &str) -> &str {
    backend.split(' ').next().unwrap_or(backend)
}

/// Whether this is the process of one backend, which [`run`] has started.
#[must_use]
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn run_child(name: &str, backend: &str) {
    let mut program = this_program();
    seccomp::surround(&mut program, backend);
    let mut child = program
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(BACKEND, name_of(backend))
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let output =
        [gather(child.stdout.take().expect("piped")), gather(child.stderr.take().expect("piped"))];
    let deadline = Instant::now() + limit() + STRESSES * churn::seconds();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            break status;
        }
        if Instant::now() > deadline {
            let threads = describe_threads(child.id());
            kill_with_descendants(child.id());
            let _ = child.wait();
            panic!("{name} on {backend} hangs:\n{threads}");
        }
        // Paces the look at a child; orders nothing.
        std::thread::sleep(Duration::from_millis(2));
    };
    let [said, errors] = output.map(|thread| thread.join().expect("the reader ends"));
    let output = [said.as_str(), &errors].concat();
    assert!(status.success(), "{name} on {backend}: {status}\n{output}");
    // One that ends in `leave_out` has said so.
    let left_out = stop_testkit::emulated::is_emulated() && output.contains(NOT_TESTED);
    let ran = output.contains("1 passed") || left_out;
    assert!(ran, "{name} on {backend} ran no test:\n{output}");
    for line in said.lines().filter_map(|line| said_by(name, line)) {
        println!("{name} on {backend}: {line}");
    }
    // On the line that libtest has begun with the test's name.
    for (_, what) in output.lines().filter_map(|line| line.split_once(NOT_TESTED)) {
        not_tested(what, format_args!("on {backend}"));
    }
}

/// What the test has counted, say, without what libtest says.
fn said_by<'line>(name: &str, line: &'line str) -> Option<&'line str> {
    let begun = line.strip_prefix("test ").and_then(|line| line.strip_prefix(name));
    let line = begun.map_or(line, |rest| rest.trim_start_matches(" ... "));
    let others = ["", "ok", "running 1 test"];
    (!others.contains(&line) && !line.starts_with("test result: ") && !line.contains(NOT_TESTED))
        .then_some(line)
}

/// The arguments that run this test, and no other, in another process: those with
/// which [`run`] has started this one.
pub fn this_test() -> impl Iterator<Item = std::ffi::OsString> {
    assert!(is_child(), "the process of one test");
    std::env::args_os().skip(1)
}

/// This test program, to be started again: by the emulator that
/// `STOP_TESTS_RUNNER` names, if it runs under one.
///
/// # Panics
///
/// If its path cannot be had.
#[must_use]
pub fn this_program() -> Command {
    program(&std::env::current_exe().expect("the test's own path"))
}

/// As [`this_program`], another one of the same platform.
#[must_use]
pub fn program(program: &Path) -> Command {
    let runner = std::env::var("STOP_TESTS_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(runner) = words.next() else { return Command::new(program) };
    let mut command = Command::new(runner);
    command.args(words).arg(program);
    command
}

fn gather(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn describe_threads(process: u32) -> String {
    let mut text = String::new();
    for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        for file in ["comm", "syscall", "wchan"] {
            let content = fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let _ = write!(text, "{file}: {}; ", content.trim());
        }
        text.push('\n');
    }
    text
}
