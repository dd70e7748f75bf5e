//! What an audit has found.

use crate::report::activity::Wait;
use crate::report::waits_for::WaitsFor;
use core::fmt;
use core::ops::Deref;
use core::time::Duration;

/// Says where threads wait in calls that a stop does not end.
///
/// # Examples
///
/// As at [`audit`](super::audit).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audit {
    places: Vec<Unmarked>,
}

/// Says where threads wait in a call that is not marked.
///
/// # Examples
///
/// ```
/// for place in stopruntime::report::audit().iter() {
///     println!("{:?}: {}", place.wait.place, place.remedy());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unmarked {
    /// The name of the first thread that was seen there, its first 15 bytes.
    pub thread: String,
    /// The first wait that was seen there.
    pub wait: Wait,
    /// How many waits were seen there.
    pub count: u64,
    /// The longest of them, as far as it was seen.
    pub longest: Duration,
}

impl Unmarked {
    /// Returns what to do, so that a stop ends the wait.
    ///
    /// # Examples
    ///
    /// As at [`Unmarked`].
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match (&self.wait.on, self.wait.name) {
            (Some(WaitsFor::Thread { .. }), _) => {
                "mark the join: #[blocking], on a handle of stopruntime::thread"
            }
            (Some(WaitsFor::Child { .. }), _) => "mark the wait for the child: #[blocking]",
            (Some(WaitsFor::Futex { .. }), _) | (_, Some("futex")) => {
                "mark it: #[blocking]; locks, conditions and channels have to be those of \
                 stopruntime::sync"
            }
            _ => "mark it: #[blocking], or #[blocking(foreign)] around code of others",
        }
    }

    fn is_at(&self, thread: &str, wait: &Wait) -> bool {
        let is_place = self.wait.place == wait.place && self.wait.number == wait.number;
        is_place && (wait.place.is_some() || self.thread == thread)
    }
}

impl Deref for Audit {
    type Target = [Unmarked];

    fn deref(&self) -> &[Unmarked] {
        &self.places
    }
}

impl IntoIterator for Audit {
    type Item = Unmarked;
    type IntoIter = std::vec::IntoIter<Unmarked>;

    fn into_iter(self) -> Self::IntoIter {
        self.places.into_iter()
    }
}

impl<'a> IntoIterator for &'a Audit {
    type Item = &'a Unmarked;
    type IntoIter = core::slice::Iter<'a, Unmarked>;

    fn into_iter(self) -> Self::IntoIter {
        self.places.iter()
    }
}

impl fmt::Display for Unmarked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wait.name {
            Some(name) => formatter.write_str(name)?,
            None => write!(formatter, "system call {}", self.wait.number)?,
        }
        match &self.wait.place {
            Some(place) => write!(formatter, ", in {place}")?,
            None => write!(formatter, ", thread {}", self.thread)?,
        }
        match self.count {
            1 => formatter.write_str(": once")?,
            count => write!(formatter, ": {count} times")?,
        }
        write!(formatter, ", up to {:.1} s", self.longest.as_secs_f64())
    }
}

impl fmt::Display for Audit {
    /// A line for each place.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places.is_empty() {
            return formatter.write_str(
                "no wait of more than 100 ms was seen that is not marked, in the threads that the \
                 runtime knows",
            );
        }
        formatter.write_str("where threads waited for more than 100 ms and were not marked:")?;
        self.places.iter().try_for_each(|place| write!(formatter, "\n{place}"))
    }
}

/// The places, in the order in which they were found.
#[derive(Default)]
pub(super) struct Found {
    /// In this process.
    pub(super) is_audited: bool,
    /// How many waits were seen whose places are not known yet.
    pub(super) unnamed: usize,
    places: Vec<Unmarked>,
}

impl Found {
    pub(super) fn audit(&self) -> Audit {
        Audit { places: self.places.clone() }
    }

    /// Counts a wait. The place's number, and a line for it if it is new.
    pub(super) fn add(&mut self, id: i32, thread: String, wait: Wait) -> (usize, Option<String>) {
        // mutant: audit-says-each-place-once
        if let Some(number) = self.places.iter().position(|place| place.is_at(&thread, &wait)) {
            self.places[number].count += 1;
            return (number, None);
        }
        let place = Unmarked { thread, wait, count: 1, longest: Duration::ZERO };
        let line = format!("{} ({id}): {}: {}", place.thread, place.wait, place.remedy());
        self.places.push(place);
        (self.places.len() - 1, Some(line))
    }

    /// A wait at this place lasts so long by now.
    pub(super) fn lasts(&mut self, number: usize, time: Duration) {
        let longest = &mut self.places[number].longest;
        *longest = time.max(*longest);
    }
}
