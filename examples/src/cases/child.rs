//! Waiting for a child and for a thread.

use super::ends::{Reaped, Shared, piped, shell};
use super::{Case, Fixture, Outcome, expect};
use libc::{SYS_futex, SYS_futex_waitv, SYS_waitid};
use std::io::{self, Write};
use std::process::ExitStatus;
use std::sync::mpsc;
use stopruntime::ext::{JoinOrStop, WaitOrStop};
use stopruntime::thread::{self, JoinHandle};

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
    let (fed, fed_id) = identified(move || {
        let value = receiver.recv().unwrap_or("not fed");
        // Nobody listens where the call has completed.
        let _ = report.send(value);
        value
    });
    let (ended, ended_id) = identified(|| "another");
    wait_until_gone(ended_id);
    let mut handles = vec![ended, fed];
    let reported = Shared::new(reported);
    let plain = reported.clone();
    Fixture {
        marked: Box::new(move || {
            let handle = handles.pop().expect("no more than two calls");
            Outcome::of(handle.join_or_stop().map(Ok), |joined| {
                Ok(joined.map_err(|_| io::Error::other("it panicked"))?.into())
            })
        }),
        feed: Box::new(move || {
            sender.send("fed").map_err(io::Error::other)?;
            // So that a join that begins now has nothing to wait for.
            wait_until_gone(fed_id);
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

/// A thread that can be stopped, and its id.
fn identified<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> (JoinHandle<T>, rustix::thread::Pid) {
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(rustix::thread::gettid()).expect("the starter waits for it");
        body()
    });
    (handle, receiver.recv().expect("the thread sends its id first"))
}

/// Until the thread does not exist any more, joined or not.
fn wait_until_gone(thread: rustix::thread::Pid) {
    let task = format!("/proc/self/task/{}", thread.as_raw_nonzero());
    while std::fs::exists(&task).unwrap_or(false) {
        std::thread::yield_now();
    }
}
