//! The thread that looks at the others.
//!
//! # Safety
//!
//! The invariant of this module: what libc is given here is a function.

#![allow(unsafe_code)]

use super::names::{self, Length, Sighting};
use super::say::say;
use super::{AUDITED, found, wait_for_names};
use crate::report::look::may_wait_for_a_channel;
use crate::report::sleep::Sleep;
use crate::report::task::is_inside;
use crate::runtime::record::Record;
use crate::runtime::{records, signal};
use core::ffi::c_int;
use std::collections::HashMap;
use std::io;
use std::ptr;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at all threads.
const PACE: Duration = Duration::from_millis(25);
/// A wait that is longer is reported.
const LONG: Duration = Duration::from_millis(100);

/// The threads of the runtime's own, which have a record if a callback of the user's has
/// given them one.
const OWN: [&str; 4] = ["stop-callbacks", "stop-deadlines", "stop-shutdown", "stop-reports"];

/// A wait of a thread, as long as it is the same.
struct Watched {
    id: c_int,
    sleep: Sleep,
    since: Instant,
    state: State,
}

enum State {
    /// It is to be reported when it has lasted.
    Young,
    Reported(Length),
    /// It is none of those that are reported.
    Excused,
}

/// Begins the audit.
///
/// # Errors
///
/// If its threads cannot be started.
pub(crate) fn start() -> io::Result<()> {
    found().is_audited = true;
    let (sender, sightings) = mpsc::channel();
    let start = |name: &str, body: Box<dyn FnOnce() + Send>| {
        let builder = thread::Builder::new().name(name.into());
        signal::with_all_blocked(|| builder.spawn(body))
    };
    start("stop-places", Box::new(move || names::name(&sightings)))?;
    start("stop-audit", Box::new(move || watch(&sender)))?;
    // SAFETY: a function. If there is no memory for it there is no sum.
    unsafe { libc::atexit(sum) };
    Ok(())
}

extern "C" fn sum() {
    // A forked child has another one, or none.
    if AUDITED.get().is_some() && found().is_audited {
        wait_for_names(Duration::from_secs(5));
        let audit = super::audit();
        say(&audit);
    }
}

fn watch(sightings: &Sender<Sighting>) {
    let mut watched: HashMap<usize, Watched> = HashMap::new();
    loop {
        // Paces the looks.
        thread::sleep(PACE);
        let mut seen = HashMap::with_capacity(watched.len());
        for record in records::held() {
            let key = ptr::from_ref::<Record>(&record) as usize;
            if let Some(wait) = look(&record, watched.remove(&key), sightings) {
                seen.insert(key, wait);
            }
        }
        watched = seen;
    }
}

/// Looks at a thread, which may be in the wait it was in at the last look.
fn look(record: &Record, before: Option<Watched>, sightings: &Sender<Sighting>) -> Option<Watched> {
    let id = record.known.thread()?;
    if record.known.is_of_another_process() || is_marked(record) {
        return None;
    }
    let sleep = Sleep::of(id)?;
    let before = before.filter(|before| before.id == id && before.sleep == sleep);
    let Some(mut wait) = before else {
        // mutant: audit-excuses-clean-up
        let is_excused = !record.sees_own() || record.concern().is_some();
        let state = if is_excused { State::Excused } else { State::Young };
        return Some(Watched { id, sleep, since: Instant::now(), state });
    };
    let time = wait.since.elapsed();
    if matches!(wait.state, State::Young) && time > LONG {
        // Otherwise it has just ended.
        let (thread, what, trace) = wait.sleep.unmarked(id)?;
        if is_marked(record) || record.known.thread() != Some(id) {
            return None;
        }
        // mutant: audit-leaves-own-threads-out
        let is_excused = OWN.contains(&thread.as_str()) || may_wait_for_a_channel(record, &what);
        wait.state = if is_excused {
            State::Excused
        } else {
            let length = Length::new(time);
            let of_wait = length.clone();
            found().unnamed += 1;
            // The other end is there as long as the process.
            let _ = sightings.send(Sighting { id, thread, wait: what, trace, length: of_wait });
            State::Reported(length)
        };
    }
    if let State::Reported(length) = &wait.state {
        length.lasts(wait.since.elapsed());
    }
    Some(wait)
}

/// In a marked call, or in a region.
fn is_marked(record: &Record) -> bool {
    // mutant: audit-leaves-marked-out
    is_inside(record) || record.region.is_open()
}
