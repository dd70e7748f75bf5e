//! Children: each is reaped once, by a thread that says so.

use super::Call;
use crate::bout::{Bout, Outcome};
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stopruntime::ext::{WaitOrStop, sleep_or_stop};

pub(super) const CALLS: &[Call] =
    &[Call::new("Child::wait", |bout| wait(bout, Child::wait_or_stop))];

/// A child that lives until its writer is dropped.
struct Kid {
    child: Child,
    /// How many calls have returned its status.
    reaped: u64,
}

impl Kid {
    /// std closes the standard input that it knows of before it waits: the
    /// writer is kept apart.
    fn new() -> io::Result<(Arc<Mutex<Kid>>, Option<io::PipeWriter>)> {
        let (reader, writer) = io::pipe()?;
        let child = Command::new("cat").stdin(reader).stdout(Stdio::null()).spawn()?;
        Ok((Arc::new(Mutex::new(Kid { child, reaped: 0 })), Some(writer)))
    }
}

pub(super) fn wait(bout: &mut Bout, wait: fn(&mut Child) -> Outcome<ExitStatus>) -> io::Result<()> {
    while bout.goes_on() {
        // Several at once, each outliving a number of threads that wait for it.
        let mut kids = [Kid::new()?, Kid::new()?, Kid::new()?];
        for _ in 0..16 {
            let mut targets = Vec::new();
            for (kid, _) in &kids {
                let kid = Arc::clone(kid);
                targets.push(bout.start(move |aside| {
                    let mut kid = kid.lock().unwrap_or_else(PoisonError::into_inner);
                    aside.look();
                    if kid.reaped == 0 {
                        let Ok(status) = wait(&mut kid.child) else { return Ok(()) };
                        status?;
                        kid.reaped += 1;
                    }
                    let Err(_stopped) = sleep_or_stop(Duration::MAX) else {
                        return Err(io::Error::other("a sleep without an end has ended"));
                    };
                    Ok(())
                }));
            }
            if bout.random.u8(0..8) == 0 {
                bout.pause();
                let one = bout.random.usize(0..kids.len());
                // It ends soon.
                kids[one].1 = None;
            }
            bout.stop_all(targets);
            if bout.gave_up() {
                return Ok(());
            }
        }
        for (kid, writer) in kids {
            drop(writer);
            let mut kid = kid.lock().unwrap_or_else(PoisonError::into_inner);
            if kid.reaped == 0 {
                kid.child.wait()?;
                kid.reaped += 1;
            }
            bout.balance("times that a child was reaped", 1, kid.reaped);
            bout.tally.effects += 1;
        }
    }
    // None is left, dead or alive.
    let none = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
    bout.balance("children left over", 0, u64::from(none.err() != Some(rustix::io::Errno::CHILD)));
    Ok(())
}
