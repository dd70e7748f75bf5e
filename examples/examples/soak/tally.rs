//! What is counted for one call on one backend, and how a bout's process hands
//! it to the one that prints it: a line for each counter.

use crate::histogram::Histogram;
use core::fmt;

/// The counters of one call on one backend. All but the first two have to be 0.
#[derive(Clone)]
pub(crate) struct Tally {
    /// Requests made, each to a thread of its own.
    pub(crate) stops: u64,
    /// Calls that took effect: bytes, datagrams, connections, locks.
    pub(crate) effects: u64,
    /// Threads that did not end.
    pub(crate) lost: u64,
    /// Of what the calls took: missing, or there twice.
    pub(crate) missing: u64,
    /// Descriptors that are still open when no thread holds one.
    pub(crate) leaked: u64,
    /// `EINTR` of calls, unmarked ones above all.
    pub(crate) interrupted: u64,
    /// Waits, sleeps and parks, not marked, that ended before their time.
    pub(crate) spurious: u64,
    /// Signals of others that were sent to a thread in a region and not handled, or
    /// handled twice.
    pub(crate) unhandled: u64,
    /// Other errors, panics, and processes that ended with a signal.
    pub(crate) failed: u64,
    /// From the request until the thread is past the call.
    pub(crate) latency: Histogram,
    /// What there is to say about the counters that are not 0.
    pub(crate) notes: Vec<String>,
}

/// Notes beyond these say the same again.
const NOTES: usize = 8;

impl Tally {
    pub(crate) const fn new() -> Tally {
        Tally {
            stops: 0,
            effects: 0,
            lost: 0,
            missing: 0,
            leaked: 0,
            interrupted: 0,
            spurious: 0,
            unhandled: 0,
            failed: 0,
            latency: Histogram::new(),
            notes: Vec::new(),
        }
    }

    /// The counters by name, in the order of the table.
    fn counters(&mut self) -> [(&'static str, &mut u64); 9] {
        [
            ("stops", &mut self.stops),
            ("effects", &mut self.effects),
            ("lost", &mut self.lost),
            ("missing", &mut self.missing),
            ("leaked", &mut self.leaked),
            ("interrupted", &mut self.interrupted),
            ("spurious", &mut self.spurious),
            ("unhandled", &mut self.unhandled),
            ("failed", &mut self.failed),
        ]
    }

    /// Whether everything that has to be 0 is.
    pub(crate) const fn holds(&self) -> bool {
        self.lost == 0
            && self.missing == 0
            && self.leaked == 0
            && self.interrupted == 0
            && self.spurious == 0
            && self.unhandled == 0
            && self.failed == 0
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        if self.notes.len() < NOTES {
            self.notes.push(text.into());
        }
    }

    pub(crate) fn merge(&mut self, mut other: Tally) {
        for ((_, mine), (_, theirs)) in self.counters().into_iter().zip(other.counters()) {
            *mine += *theirs;
        }
        self.latency.merge(&other.latency);
        for note in other.notes {
            self.note(note);
        }
    }

    /// Reads what a bout's process has printed; `None` if that is not whole.
    pub(crate) fn parse(text: &str) -> Option<Tally> {
        let mut tally = Tally::new();
        let mut whole = false;
        for line in text.lines() {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            match name {
                "latency" => tally.latency = value.parse().ok()?,
                "note" => tally.note(value),
                "end" => whole = true,
                _ => {
                    let mut counters = tally.counters().into_iter();
                    *counters.find(|(known, _)| *known == name)?.1 = value.parse().ok()?;
                }
            }
        }
        whole.then_some(tally)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.clone().counters() {
            writeln!(formatter, "{name} {value}")?;
        }
        writeln!(formatter, "latency {}", self.latency)?;
        for note in &self.notes {
            // One line each.
            writeln!(formatter, "note {}", note.replace('\n', "; "))?;
        }
        writeln!(formatter, "end")
    }
}
