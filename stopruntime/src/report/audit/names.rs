//! The thread that finds the places of the waits that were seen.
//!
//! To find one takes long, the first time above all, when the program's debug information
//! is read. Meanwhile the looks go on: a wait that ends in that time is not missed.

use super::say::say;
use super::{found, has_named};
use crate::report::activity::Wait;
use crate::report::place::{self, Trace};
use core::ffi::c_int;
use core::mem;
use core::time::Duration;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

/// A wait that is to be reported.
pub(super) struct Sighting {
    pub(super) id: c_int,
    pub(super) thread: String,
    pub(super) wait: Wait,
    pub(super) trace: Trace,
    pub(super) length: Length,
}

/// How long a wait has lasted, which may end before its place is known.
#[derive(Clone)]
pub(super) struct Length(Arc<Mutex<Lasts>>);

enum Lasts {
    /// So long, at a place that is not known yet.
    Somewhere(Duration),
    /// At the place with this number, which has the time.
    At(usize),
}

impl Length {
    pub(super) fn new(time: Duration) -> Length {
        Length(Arc::new(Mutex::new(Lasts::Somewhere(time))))
    }

    /// It lasts so long by now.
    pub(super) fn lasts(&self, time: Duration) {
        let mut lasts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *lasts {
            Lasts::Somewhere(longest) => *longest = time,
            Lasts::At(number) => found().lasts(*number, time),
        }
    }

    /// Its place is known; a line for it if it is new.
    fn is_of(&self, id: c_int, thread: String, wait: Wait) -> Option<String> {
        let mut lasts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = found();
        let (number, line) = found.add(id, thread, wait);
        if let Lasts::Somewhere(time) = mem::replace(&mut *lasts, Lasts::At(number)) {
            // mutant: audit-keeps-lengths
            found.lasts(number, time);
        }
        line
    }
}

/// Finds the places, and says those that are new.
pub(super) fn name(sightings: &Receiver<Sighting>) {
    place::prepare();
    for sighting in sightings {
        let Sighting { id, thread, wait, trace, length } = sighting;
        let wait = Wait { place: trace.place(), ..wait };
        length.is_of(id, thread, wait).inspect(|line| say(line));
        has_named();
    }
}
