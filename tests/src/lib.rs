//! What the tests share: a process for each test and backend, and the proof
//! that a thread is blocked.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "helpers of tests, which panic where a test fails"
)]

pub mod churn;
pub mod compiler;
pub mod copies;
pub mod cores;
pub mod dice;
pub mod directory;
// Single steps, by x86-64's registers.
#[cfg(target_arch = "x86_64")]
pub mod marked_read;
pub mod proc;
mod processes;
#[cfg(target_arch = "x86_64")]
pub mod ptrace;
pub mod rseq;
pub mod seccomp;
pub mod signals;
pub mod started;
pub mod timers;
pub mod tracee;

pub use processes::{descendants, kill_with_descendants};
pub use stop_testkit::{blocked_in, thread_id};

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The names `STOPRUNTIME_BACKEND` knows.
pub const BACKENDS: [&str; 3] = ["rseq", "handler", "ppoll"];

/// The same, and once more without `futex_waitv(2)`, for [`on_backends!`]: what
/// waits in a futex waits in another way there.
pub const FUTEXES: [&str; 4] = ["rseq", "handler", "ppoll", "ppoll without futex_waitv"];

/// Whether this architecture has windows: all three backends, where the kernel
/// has rseq(2); else ppoll alone.
pub const HAS_WINDOWS: bool = cfg!(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "loongarch64"
));

/// poll(2), or what libc makes of it where there is none.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub const POLL: libc::c_long = libc::SYS_poll;
/// pause(2), or what libc makes of it where there is none.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub const PAUSE: libc::c_long = libc::SYS_pause;
/// poll(2), or what libc makes of it where there is none.
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
pub const POLL: libc::c_long = libc::SYS_ppoll;
/// pause(2), or what libc makes of it where there is none.
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
pub const PAUSE: libc::c_long = libc::SYS_ppoll;

/// What libc makes of recv(2).
#[cfg(not(target_arch = "x86"))]
pub const RECV: libc::c_long = libc::SYS_recvfrom;
/// What libc makes of recv(2).
#[cfg(target_arch = "x86")]
pub const RECV: libc::c_long = libc::SYS_socketcall;

/// The smallest stack that threads of these tests are given: what glibc says.
/// The 2 KiB that musl says do not hold std's own frames of a debug build.
pub const SMALL_STACK: usize =
    if libc::PTHREAD_STACK_MIN < 16 << 10 { 16 << 10 } else { libc::PTHREAD_STACK_MIN };

const BACKEND: &str = "STOPRUNTIME_BACKEND";
const CHILD: &str = "STOP_TESTS_CHILD";
const LIMIT: &str = "STOP_TESTS_LIMIT";
const PART: &str = "STOP_TESTS_PART";

/// No test has more stresses, one after the other, each as long as
/// [`churn::seconds`] says.
const STRESSES: u32 = 4;

/// How long a test may take on one backend, besides its stresses: long enough
/// for a loaded machine; only a hang comes near it. `STOP_TESTS_LIMIT` sets it,
/// in seconds.
///
/// # Panics
///
/// If that is not a number.
#[must_use]
pub fn limit() -> Duration {
    let seconds = std::env::var(LIMIT).ok();
    Duration::from_secs(seconds.map_or(180, |text| text.parse().expect("a number of seconds")))
}

/// Whether `STOP_TESTS=all` asks for the long tests: all repetitions, and every
/// way of building a program.
#[must_use]
pub fn everything() -> bool {
    std::env::var("STOP_TESTS").is_ok_and(|which| which == "all")
}

/// Of a test's repetitions one in how many is made: as `STOP_TESTS_PART` says,
/// for a slow processor; else each if [`everything`] is asked for, and a part of
/// them for a developer, who waits for it.
///
/// # Panics
///
/// If that is not a number.
#[must_use]
pub fn part() -> u64 {
    let part = std::env::var(PART).ok();
    let usual = if everything() { 1 } else { 10 };
    part.map_or(usual, |text| text.parse().expect("a number above 0"))
}

/// As many of a test's runs as [`part`] leaves of them.
///
/// # Panics
///
/// If that is 0.
#[must_use]
pub fn part_of(runs: u64) -> u64 {
    runs.div_ceil(part())
}

/// Defines tests that run in a process of their own, once per backend; with
/// `STOPRUNTIME_BACKEND` set, only on that one.
///
/// ```text
/// stop_tests::per_backend! {
///     fn a_request_ends_a_read() { … }
/// }
/// ```
#[macro_export]
macro_rules! per_backend {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            fn body() $body
            $crate::run(concat!(module_path!(), "::", stringify!($name)), &$crate::BACKENDS, body);
        }
    )*};
}

/// As [`per_backend!`], for backends named first: `on ["rseq", "handler"]; fn …`.
///
/// As on an older kernel, `"ppoll without membarrier and futex_waitv"`, or in a
/// sandbox, `"ppoll forbidding membarrier and futex_waitv"`: those calls fail
/// with `ENOSYS` or `EPERM` from the beginning of the program.
#[macro_export]
macro_rules! on_backends {
    ($backends:expr; $($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            fn body() $body
            $crate::run(concat!(module_path!(), "::", stringify!($name)), &$backends, body);
        }
    )*};
}

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
    for backend in backends {
        if forced.as_deref().is_some_and(|forced| forced != name_of(backend)) {
            continue;
        }
        // What an emulator of user space lacks is its own affair.
        if name_of(backend) == *backend || !emulation_hides(backend, NO_FILTERS) {
            run_child(name, backend);
        }
    }
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

const NOT_TESTED: &str = "NOT TESTED: ";

/// For [`emulation_hides`]: a call cannot be denied there. seccomp(2) is `ENOSYS`
/// and `PR_SET_SECCOMP` `EINVAL`.
pub const NO_FILTERS: &str = "it has no seccomp filters";
/// For [`emulation_hides`], where the processor is big-endian.
pub const OWNER_SWAPPED: &str = "the kernel writes it into the word in its own byte order";
/// For [`emulation_hides`]: "assertion failed" in `qemu_plugin_vcpu_init_hook`.
pub const NO_FORKS: &str = "it aborts where a forked child of several threads starts one";
/// For [`emulation_hides`]: `PR_SET_CHILD_SUBREAPER` is `EINVAL`.
pub const NO_SUBREAPER: &str = "only init adopts orphans there";

/// Says what a test could not look at on this machine, also if it passes:
/// libtest keeps what it prints by `println!` to itself then.
pub fn not_tested(what: &str, why: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{NOT_TESTED}{what}: {why}");
}

/// Ends the process of one backend, under an emulator of user space, where this
/// has kept its test from going on; says so.
///
/// # Panics
///
/// If there is no emulator.
pub fn leave_out(what: &str, why: impl std::fmt::Display) -> ! {
    assert!(is_child() && stop_testkit::emulated::is_emulated(), "{what}: {why}");
    not_tested(what, format_args!("{why}, under an emulator of user space"));
    std::process::exit(0)
}

/// Whether an emulator of user space keeps a test from what it looks at; says
/// so, and why, if it does: what qemu-user 7.2 does in another way than Linux.
#[must_use]
pub fn emulation_hides(what: &str, why: &str) -> bool {
    let emulated = stop_testkit::emulated::is_emulated();
    if emulated {
        not_tested(what, format_args!("{why}, under an emulator of user space"));
    }
    emulated
}

/// A time as libc has it, on this architecture.
///
/// # Panics
///
/// If it does not fit.
#[must_use]
pub fn timespec(time: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: time.as_secs().try_into().expect("fits"),
        tv_nsec: time.subsec_nanos().cast_signed().into(),
    }
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

/// Waits until the thread sleeps in a system call and returns its number.
///
/// # Panics
///
/// If it does not within the time that only a hang takes.
#[must_use]
pub fn wait_until_blocked(thread: i32) -> libc::c_long {
    let deadline = Instant::now() + limit() / 3;
    loop {
        if let Some(number) = blocked_in(thread) {
            return number;
        }
        assert!(Instant::now() < deadline, "thread {thread} does not block");
        std::thread::yield_now();
    }
}

/// As [`wait_until_blocked`], in one of these calls: skips waits of the test's
/// own, such as a barrier's futex.
///
/// # Panics
///
/// As [`wait_until_blocked`].
pub fn wait_until_blocked_in(thread: i32, numbers: &[libc::c_long]) {
    let deadline = Instant::now() + limit() / 3;
    while blocked_in(thread).is_none_or(|number| !numbers.contains(&number)) {
        assert!(Instant::now() < deadline, "thread {thread} does not block in {numbers:?}");
        std::thread::yield_now();
    }
}
