//! Waiting for a child and for a thread.

use super::ends::{Reaped, Shared, piped, shell};
use super::{Case, Fixture, Outcome, expect};
use libc::{SYS_futex, SYS_futex_waitv, SYS_waitid};
use std::io::{self, Write};
use std::process::ExitStatus;
use std::sync::mpsc;
use stopruntime::ext::{JoinOrStop, WaitOrStop};
use stopruntime::thread;

pub(super) const CASES: &[Case] = &[
    Case::new("Child::wait", &[SYS_waitid], waiting),
    Case::new("JoinHandle::join", &[SYS_futex], || Ok(joining())).on_ppoll(&[SYS_futex_waitv]),
];

/// For a child that ends with the status it is fed.
fn waiting() -> io::Result<Fixture> {
    let mut child = shell("read -r code; exit \"$code\"")?;
    // Not left to the call, which closes it before it waits.
    let mut input = piped(child.stdin.take())?;
    let child = Shared::new(Reaped(child));
    let (plain, keep) = (child.clone(), child.clone());
    Ok(Fixture {
        marked: Box::new(move || {
            Outcome::of(child.lock().0.wait_or_stop(), |status| Ok(describe(status)))
        }),
        feed: Box::new(move || {
            input.write_all(b"7\n")?;
            Ok("exit status: 7".into())
        }),
        plain: Box::new(move |_| Ok(describe(plain.lock().0.wait()?))),
        verify: Box::new(|_| Ok(())),
        keep: Box::new(keep),
    })
}

fn describe(status: ExitStatus) -> String {
    status.to_string()
}

/// For a thread that ends when it is fed. A stopped join leaves it running.
fn joining() -> Fixture {
    let (sender, receiver) = mpsc::channel::<&str>();
    let (report, reported) = mpsc::channel();
    let mut handle = Some(thread::spawn(move || {
        let value = receiver.recv().unwrap_or("not fed");
        // Nobody listens where the call has completed.
        let _ = report.send(value);
        value
    }));
    let reported = Shared::new(reported);
    let plain = reported.clone();
    Fixture {
        marked: Box::new(move || {
            let handle = handle.take().unwrap_or_else(|| thread::spawn(|| "another"));
            let result = handle.join_or_stop();
            Outcome::of(result.map(Ok), |joined| {
                Ok(joined.map_err(|_| io::Error::other("it panicked"))?.into())
            })
        }),
        feed: Box::new(move || {
            sender.send("fed").map_err(io::Error::other)?;
            Ok("fed".into())
        }),
        plain: Box::new(move |_| Ok(plain.lock().recv().map_err(io::Error::other)?.into())),
        verify: Box::new(move |_| {
            let reports = reported.lock().iter().count();
            expect(reports <= 1, || format!("{reports} reports"))
        }),
        keep: Box::new(()),
    }
}
