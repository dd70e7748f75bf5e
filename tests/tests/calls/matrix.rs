//! Every covered call, in every phase in which a request can find it, on every
//! backend.
//!
//! | phase | what it shows |
//! |---|---|
//! | before | requested first, with the data there: the call does not begin, the data stays; or, where it goes before a stop, it is reported |
//! | blocked | requested while it provably waits: it ends, nothing is lost |
//! | after | the data is there, no request: the result; the request is seen by the next call |
//! | stray | the stop signal without a request, while it waits: it goes on waiting and then completes |
//! | together | request and data at once: one or the other, and nothing is lost |
//!
//! `--nocapture` prints the matrix. `STOP_TESTS_CASE` chooses the cases that have
//! this in their name.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use stop_testkit::cases::{self, Case, Control, Moved, Outcome, Progress, Running};
use stop_tests::{BACKENDS, on_backends};
use stopruntime::Backend;

/// Request and data meet at a different point each time; the part of them that
/// is asked for (`STOP_TESTS_PART`).
const ROUNDS: u64 = 20;
const STRAY_SIGNALS: u32 = 3;
/// Each failure may have taken a time limit; with more the process would be
/// taken for one that hangs, and they would not be reported.
const ENOUGH_FAILURES: usize = 8;

type Phase = fn(&Case, Backend) -> Result<&'static str, String>;

const PHASES: [(&str, Phase); 5] = [
    ("before", before),
    ("blocked", blocked),
    ("after", after),
    ("stray", stray),
    ("together", together),
];

#[test]
fn every_call_in_every_phase() {
    stop_tests::run(concat!(module_path!(), "::every_call_in_every_phase"), &BACKENDS, leave);
    // Only the child of a backend writes a table, only the parent finds one.
    for backend in BACKENDS {
        if let Ok(table) = fs::read_to_string(table_of(std::process::id(), backend)) {
            println!("{table}");
            let _ = fs::remove_file(table_of(std::process::id(), backend));
        }
    }
}

fn table_of(parent: u32, backend: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("matrix-{parent}-{backend}.txt"))
}

on_backends! { ["ppoll without preadv2 and pwritev2 and futex_waitv and epoll_pwait2"];
    fn every_call_in_every_phase_on_an_old_kernel() {
        println!("{}", matrix());
    }
}

/// In the child: for the parent.
fn leave() {
    let table = matrix();
    let file = table_of(std::os::unix::process::parent_id(), stopruntime::backend().name());
    fs::write(file, table).expect("the table can be written");
}

fn matrix() -> String {
    of(cases::all())
}

/// The matrix of these cases.
pub(crate) fn of(mut cases: Vec<Case>) -> String {
    count_stray_signals();
    let backend = stopruntime::backend();
    if let Ok(part) = std::env::var("STOP_TESTS_CASE") {
        cases.retain(|case| case.name.contains(&part));
    }
    assert!(!cases.is_empty(), "no case of that name");
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or(0);
    let mut table = format!("{:width$}", backend.name());
    for (phase, _) in PHASES {
        let _ = write!(table, "  {phase:9}");
    }
    let mut failures = Vec::new();
    for case in &cases {
        if failures.len() >= ENOUGH_FAILURES {
            failures.push("there may be more".into());
            break;
        }
        let _ = write!(table, "\n{:width$}", case.name);
        for (name, phase) in PHASES {
            let open = descriptors();
            let outcome = phase(case, backend).and_then(|outcome| none_leaked(open, outcome));
            let outcome = outcome.unwrap_or_else(|reason| {
                failures.push(format!("{} on {backend}, {name}: {reason}", case.name));
                "FAILED"
            });
            let _ = write!(table, "  {outcome:9}");
        }
    }
    table.push('\n');
    assert!(failures.is_empty(), "{table}\n{}", failures.join("\n"));
    table
}

/// A stopped `accept` or `connect` must not leave one behind.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

fn none_leaked<T>(before: usize, outcome: T) -> Result<T, String> {
    match descriptors() {
        now if now > before => Err(format!("{before} descriptors before, {now} after")),
        _ => Ok(outcome),
    }
}

const OK: Result<&str, String> = Ok("ok");
/// This backend cannot make this call stoppable, and says so at once.
const REFUSED: Result<&str, String> = Ok("refused");
/// This call does not wait, or not for us.
const ENDS: Result<&str, String> = Ok("ends");

fn arrange(case: &Case) -> Result<(impl FnMut() -> Outcome + Send + 'static, Control), String> {
    let fixture = case.arrange().map_err(|error| format!("arranging: {error}"))?;
    Ok(Control::split(case, fixture))
}

/// The outcome was a stop, and nothing is lost.
fn stopped(
    outcome: Outcome,
    control: Control,
    fits: impl Fn(&Moved) -> Result<(), String>,
) -> Result<(), String> {
    match outcome {
        Outcome::Stopped(moved) => {
            fits(&moved)?;
            control.nothing_lost(moved)
        }
        other => Err(format!("{other:?} instead of a stop")),
    }
}

fn until_requested() {
    while !stopruntime::stop_requested() {
        thread::yield_now();
    }
}

fn before(case: &Case, _: Backend) -> Result<&'static str, String> {
    let (mut marked, mut control) = arrange(case)?;
    control.feed()?;
    let running = Running::start(move || {
        until_requested();
        marked()
    });
    running.request_stop();
    match running.join()? {
        Outcome::Completed(text) if case.goes_before_a_stop => control.completed(&text)?,
        _ if case.goes_before_a_stop => return Err("it does not report what has happened".into()),
        outcome => stopped(outcome, control, |moved| Progress::Exactly(0).check(moved))?,
    }
    OK
}

fn blocked(case: &Case, backend: Backend) -> Result<&'static str, String> {
    let (marked, control) = arrange(case)?;
    let running = Running::start(marked);
    if case.is_refused(backend) {
        return match running.join()? {
            Outcome::Failed(error) if error.raw_os_error() == Some(libc::ENOTSUP) => {
                control.nothing_lost(Moved::default())?;
                REFUSED
            }
            Outcome::Completed(_) if case.takes_a_right() && !is_root() => ENDS,
            other => Err(format!("{other:?} instead of ENOTSUP")),
        };
    }
    if does_not_wait(case) {
        return match running.join()? {
            Outcome::Completed(text) => control.completed(&text).and(ENDS),
            other => Err(format!("{other:?} instead of the result")),
        };
    }
    until_blocked(&running, case, backend)?;
    running.request_stop();
    stopped(running.join()?, control, |moved| case.progress.check(moved))?;
    OK
}

/// Whether nothing keeps it, or its right is not ours.
fn does_not_wait(case: &Case) -> bool {
    case.ends_by_itself || case.takes_a_right() && !is_root()
}

fn is_root() -> bool {
    // SAFETY: takes no argument, cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// A thread that does not wait is stopped, so that it is not left behind.
fn until_blocked<T: Send + 'static>(
    running: &Running<T>,
    case: &Case,
    backend: Backend,
) -> Result<(), String> {
    let outcome = running.wait_until_blocked(case, backend).map(drop);
    if outcome.is_err() {
        running.request_stop();
    }
    outcome
}

fn after(case: &Case, backend: Backend) -> Result<&'static str, String> {
    let (mut marked, mut control) = arrange(case)?;
    if !case.for_the_moment {
        control.feed()?;
    }
    let (sender, completed) = mpsc::channel();
    let running = Running::start(move || {
        let first = marked();
        drop(sender);
        until_requested();
        (first, marked())
    });
    if case.for_the_moment {
        until_blocked(&running, case, backend)?;
        control.feed()?;
    }
    // Nothing is sent; it ends when the first call has returned.
    let _ = completed.recv_timeout(Duration::from_secs(10)).map(|()| unreachable!());
    running.request_stop();
    let (first, second) = running.join()?;
    match second {
        Outcome::Stopped(moved) => Progress::Exactly(0).check(&moved)?,
        Outcome::Completed(_) if case.goes_before_a_stop => {}
        other => return Err(format!("the next call: {other:?} instead of a stop")),
    }
    match first {
        Outcome::Completed(text) => control.completed(&text)?,
        Outcome::Failed(error)
            if case.is_always_refused(backend) && error.raw_os_error() == Some(libc::ENOTSUP) =>
        {
            control.nothing_lost(Moved::default())?;
            return REFUSED;
        }
        other => return Err(format!("{other:?} instead of the result")),
    }
    OK
}

fn stray(case: &Case, backend: Backend) -> Result<&'static str, String> {
    if case.is_of_libc() {
        // Some of them end (signal(7)), in another way on each backend.
        return Ok("-");
    }
    if case.is_refused(backend) {
        return REFUSED;
    }
    if does_not_wait(case) {
        return ENDS;
    }
    let (marked, mut control) = arrange(case)?;
    let running = Running::start(marked);
    until_blocked(&running, case, backend)?;
    for _ in 0..STRAY_SIGNALS {
        send_stray_signal(running.thread())?;
        until_blocked(&running, case, backend)?;
    }
    if !case.feed_wakes {
        running.request_stop();
        stopped(running.join()?, control, |moved| case.progress.check(moved))?;
        return OK;
    }
    control.feed()?;
    match running.join()? {
        Outcome::Completed(text) => control.completed(&text)?,
        other => return Err(format!("{other:?} instead of the result")),
    }
    OK
}

fn together(case: &Case, backend: Backend) -> Result<&'static str, String> {
    if case.is_refused(backend) {
        return REFUSED;
    }
    if does_not_wait(case) {
        return ENDS;
    }
    for round in 0..stop_tests::part_of(ROUNDS) {
        let (marked, mut control) = arrange(case)?;
        let running = Running::start(marked);
        if round % 2 == 0 {
            until_blocked(&running, case, backend)?;
        }
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            let feeding = scope.spawn(|| {
                barrier.wait();
                control.feed()
            });
            barrier.wait();
            running.request_stop();
            feeding.join().expect("feeding does not panic")
        })?;
        match running.join()? {
            Outcome::Completed(text) => control.completed(&text)?,
            Outcome::Stopped(moved) => control.nothing_lost(moved)?,
            Outcome::Failed(error) => return Err(format!("failed: {error}")),
        }
    }
    OK
}

// ---- the stray signal ----

/// Stray signals that have reached the handler that was there before ours.
static STRAY: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_stray_signal(_: libc::c_int) {
    STRAY.fetch_add(1, Ordering::SeqCst);
}

/// Installs a handler for the runtime to chain to; before the runtime is.
fn count_stray_signals() {
    // SAFETY: a zeroed sigaction is valid, and the handler only adds to an
    // atomic.
    let result = unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = on_stray_signal as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGURG, &raw const action, core::ptr::null_mut())
    };
    assert_eq!(result, 0, "sigaction");
}

/// Sends the stop signal as anyone in this process may, and returns when it
/// has been handled, or is pending because the thread waits with it blocked.
fn send_stray_signal(thread: i32) -> Result<(), String> {
    let handled = STRAY.load(Ordering::SeqCst);
    let process = std::process::id();
    // SAFETY: three integers.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) };
    assert_eq!(sent, 0, "tgkill: {}", std::io::Error::last_os_error());
    let deadline = Instant::now() + Duration::from_secs(10);
    while STRAY.load(Ordering::SeqCst) == handled && !is_pending_and_blocked(thread) {
        if Instant::now() > deadline {
            return Err("the stray signal is neither handled nor pending".into());
        }
        thread::yield_now();
    }
    Ok(())
}

/// proc(5): `SigPnd` and `SigBlk`, a bit each signal.
fn is_pending_and_blocked(thread: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap_or_default();
    ["SigPnd:", "SigBlk:"].iter().all(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & (1 << (libc::SIGURG - 1)) != 0)
    })
}
