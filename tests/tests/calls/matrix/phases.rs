//! The phases.

use super::ROUNDS;
use super::stray::{STRAY_SIGNALS, send_stray_signal};
use std::sync::{Barrier, mpsc};
use std::thread;
use stop_testkit::cases::{Case, Control, Moved, Outcome, Progress, Running};
use stop_tests::proc::limit;
use stopruntime::Backend;

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

pub(super) fn before(case: &Case, _: Backend) -> Result<&'static str, String> {
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

pub(super) fn blocked(case: &Case, backend: Backend) -> Result<&'static str, String> {
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

pub(super) fn after(case: &Case, backend: Backend) -> Result<&'static str, String> {
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
    let _ = completed.recv_timeout(limit()).map(|()| unreachable!());
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

pub(super) fn stray(case: &Case, backend: Backend) -> Result<&'static str, String> {
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

pub(super) fn together(case: &Case, backend: Backend) -> Result<&'static str, String> {
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
