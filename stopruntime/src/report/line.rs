//! Reports as text: a line for each thread.

use super::Threads;
use super::activity::{Activity, Wait};
use super::thread::{Request, ThreadReport};
use super::waits_for::WaitsFor;
use crate::runtime::scopes::reason::Cause;
use core::fmt;

impl fmt::Display for Threads {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, thread) in self.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(formatter, "{end}{thread}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ThreadReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "a thread" } else { &self.name };
        // In one line, whatever it is called.
        for character in name.chars() {
            let printed = if character.is_control() { '?' } else { character };
            write!(formatter, "{printed}")?;
        }
        if let Some(id) = self.id {
            write!(formatter, " ({id})")?;
        }
        write!(formatter, ": {}", self.activity)?;
        if let Some(request) = &self.request {
            write!(formatter, "; {request}")?;
        } else if !self.obstacles.is_empty() {
            formatter.write_str("; would not stop")?;
        }
        for (at, obstacle) in self.obstacles.iter().enumerate() {
            let after = if self.request.is_none() && at == 0 { ":" } else { ";" };
            write!(formatter, "{after} {obstacle}")?;
        }
        let stops = matches!(&self.activity, Activity::Waits(wait) if wait.marked);
        if self.request.is_some() && self.obstacles.is_empty() && stops {
            formatter.write_str("; it is about to stop")?;
        }
        Ok(())
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Activity::NotBegun => "has not begun",
            Activity::Ended => "has ended",
            Activity::Runs => "runs",
            Activity::Reports => "makes this report",
            Activity::WaitsOutside => "waits in the kernel, outside of a system call",
            Activity::Frozen => "is held by SIGSTOP or a control group",
            Activity::Traced => "is held by a debugger",
            Activity::Waits(wait) => return wait.fmt(formatter),
            Activity::Unknown(why) => return write!(formatter, "cannot be looked at: {why}"),
        })
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(formatter, "waits in {name}")?,
            None => write!(formatter, "waits in system call {}", self.number)?,
        }
        formatter.write_str(match self {
            Wait { marked: true, .. } => " (marked)",
            Wait { foreign: true, .. } => " (foreign)",
            Wait { on: Some(WaitsFor::Thread { .. }), .. } => " (a plain join)",
            _ => " (not marked)",
        })?;
        if let Some(on) = &self.on {
            write!(formatter, " {on}")?;
        }
        self.place.as_ref().map_or(Ok(()), |place| write!(formatter, ", in {place}"))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.cause {
            Cause::Deadline => "its deadline passed",
            Cause::Requested => "stop requested",
        })?;
        if let Some(age) = self.age {
            write!(formatter, " {:.1} s ago", age.as_secs_f64())?;
        }
        self.reason.map_or(Ok(()), |reason| write!(formatter, ": {reason}"))
    }
}
