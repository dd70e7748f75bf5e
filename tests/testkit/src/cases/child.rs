//! Waiting for a child and for a thread.

use super::ends::{Reaped, Shared, piped, shell};
use super::{Case, EARLY, Fixture, MESSAGE, Moved, Outcome, Progress, expect, text};
use libc::{SYS_futex, SYS_futex_waitv, SYS_ppoll, SYS_waitid};
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use stopruntime::ext::{
    JoinOrStop, OutputOrStop, ReadOutputOrStop, StatusOrStop, WaitOrStop, WaitWithOutputOrStop,
};
use stopruntime::thread::{self, JoinHandle};

pub(super) const CASES: &[Case] = &[
    Case::new("Child::wait", &[SYS_waitid], waiting).on_ppoll(&[SYS_ppoll]),
    Case::new("Child::wait_with_output", &[SYS_ppoll], || writing(0, with_output)),
    Case::new("Child::read_output_or_stop", &[SYS_ppoll], || writing(EARLY, read_output))
        .with_progress(Progress::Exactly(EARLY)),
    Case::new("Command::output", &[SYS_ppoll], || running(OUTPUT)),
    Case::new("Command::status", &[SYS_waitid], || running(STATUS)).on_ppoll(&[SYS_ppoll]),
    Case::new("JoinHandle::join", &[SYS_futex_waitv, SYS_futex], || Ok(joining())),
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

fn output_of(output: &Output) -> String {
    format!("{}, {}", output.status, text(&output.stdout))
}

/// For a child that has written so many bytes, and writes the rest and ends when
/// it is fed.
fn writing(early: usize, call: fn(&mut Child) -> Outcome) -> io::Result<Fixture> {
    let (first, rest) = MESSAGE.split_at(early);
    let first = String::from_utf8_lossy(first);
    let mut child = shell(&format!("printf '{first}'; IFS= read -r rest; echo \"$rest\"; exit 7"))?;
    // Not left to the call, which closes it.
    let mut input = piped(child.stdin.take())?;
    while rustix::io::ioctl_fionread(child.stdout.as_ref().expect("piped"))? < early as u64 {
        std::thread::yield_now();
    }
    let child = Shared::new(Reaped(child));
    let (plain, keep) = (child.clone(), child.clone());
    Ok(Fixture {
        marked: Box::new(move || call(&mut child.lock().0)),
        feed: Box::new(move || {
            input.write_all(rest)?;
            Ok(format!("exit status: 7, {}", text(MESSAGE)))
        }),
        plain: Box::new(move |moved| rest_of(&mut plain.lock().0, moved)),
        verify: Box::new(|_| Ok(())),
        keep: Box::new(keep),
    })
}

/// What was read before a stop is dropped with it, but not more than was said.
fn with_output(child: &mut Child) -> Outcome {
    Outcome::of(child.wait_with_output_or_stop(), |output| Ok(output_of(&output)))
}

fn read_output(child: &mut Child) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    match child.read_output_or_stop(&mut stdout, &mut stderr) {
        Ok(Ok(status)) => Outcome::Completed(format!("{status}, {}", text(&stdout))),
        Ok(Err(error)) => Outcome::Failed(error),
        Err(stopped) => Outcome::Stopped(Moved { progress: stopped.progress(), taken: stdout }),
    }
}

/// std's own calls, after what was moved: what was not kept is put in as far as
/// `progress` says.
fn rest_of(child: &mut Child, Moved { progress, taken }: Moved) -> io::Result<String> {
    let mut all = if taken.is_empty() { MESSAGE[..progress].to_vec() } else { taken };
    // None if it had come to its end before the stop.
    if let Some(mut rest) = child.stdout.take() {
        rest.read_to_end(&mut all)?;
    }
    Ok(format!("{}, {}", child.wait()?, text(&all)))
}

/// For a command whose child ends when it is fed: by the end of its input, which
/// a child that was killed has not taken away from the next.
fn running(call: Call) -> io::Result<Fixture> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "while read -r _; do :; done; echo fed; exit 7"]).stdin(reader);
    let command = Shared::new(command);
    let plain = command.clone();
    Ok(Fixture {
        marked: Box::new(move || (call.marked)(&mut command.lock())),
        feed: Box::new(move || {
            drop(writer);
            Ok(call.expected.into())
        }),
        plain: Box::new(move |_| (call.plain)(&mut plain.lock())),
        verify: Box::new(|_| Ok(())),
        keep: Box::new(()),
    })
}

#[derive(Clone, Copy)]
struct Call {
    marked: fn(&mut Command) -> Outcome,
    plain: fn(&mut Command) -> io::Result<String>,
    expected: &'static str,
}

const OUTPUT: Call = Call {
    marked: |command| Outcome::of(command.output_or_stop(), |output| Ok(output_of(&output))),
    plain: |command| Ok(output_of(&command.output()?)),
    expected: "exit status: 7, fed",
};

const STATUS: Call = Call {
    marked: |command| {
        let status = command.stdout(Stdio::null()).status_or_stop();
        Outcome::of(status, |status| Ok(describe(status)))
    },
    plain: |command| Ok(describe(command.status()?)),
    expected: "exit status: 7",
};

/// For a thread that ends when it is fed. A stopped join leaves it running.
fn joining() -> Fixture {
    let (sender, receiver) = mpsc::channel::<&str>();
    let (report, reported) = mpsc::channel();
    let (fed, fed_id) = identified(move || {
        let value = receiver.recv().unwrap_or("not fed");
        // Nothing listens where the call has completed.
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
