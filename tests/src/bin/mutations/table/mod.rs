//! The rows, by the part of the runtime that they change.
//!
//! A row that does not fit the sources any more is an error, not a mutation that
//! passes; so is a marker in the sources that no row names.

mod compound;
mod earlier;
mod ext;
mod foreign;
mod input;
mod interplay;
mod mpsc;
mod ppoll;
mod protocol;
mod reports;
mod scopes;
mod shutdown;
mod signal;
mod surroundings;
mod sync;
mod thread;
mod window;

use super::source::Sources;

/// A protection and how it is taken away.
pub(crate) struct Row {
    /// What is protected.
    pub(crate) protection: &'static str,
    /// What the edits do to it.
    pub(crate) removed: &'static str,
    pub(crate) edits: Vec<Edit>,
    /// Each of them has to.
    pub(crate) caught_by: Vec<Catch>,
    /// Among those that CI goes through.
    pub(crate) core: bool,
}

/// What is done at a marker.
pub(crate) struct Edit {
    pub(crate) marker: &'static str,
    pub(crate) how: How,
}

/// To the code behind the marker.
#[derive(Debug)]
pub(crate) enum How {
    /// The statement, the arm of a match or the argument is taken out.
    Gone,
    /// This stands in its place.
    Becomes(&'static str),
    /// This stands in front of it.
    Before(&'static str),
    /// The condition of an `if`, a `while` or an arm of a match is this.
    Condition(&'static str),
    /// It is false, whatever it says.
    Never,
    /// It is true, whatever it says.
    Always,
    /// The first text of this kind is another, in whatever lines it stands.
    Change(&'static str, &'static str),
}

/// A test, and the backends on which it goes red.
pub(crate) struct Catch {
    pub(crate) test: Test,
    pub(crate) on: &'static [&'static str],
}

/// `target::name`, and what the environment says besides; `loom/…` is a target
/// of the package `stop-loom`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    pub(crate) path: &'static str,
    pub(crate) environment: Option<(&'static str, &'static str)>,
}

pub(crate) const RSEQ: &[&str] = &["rseq"];
pub(crate) const HANDLER: &[&str] = &["handler"];
pub(crate) const PPOLL: &[&str] = &["ppoll"];
/// Those with windows.
pub(crate) const WINDOWS: &[&str] = &["rseq", "handler"];
pub(crate) const ALL: &[&str] = &["rseq", "handler", "ppoll"];
/// A test that chooses its backends itself.
pub(crate) const ITSELF: &[&str] = &[""];

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    [
        window::rows(),
        shutdown::rows(),
        signal::rows(),
        earlier::rows(),
        surroundings::rows(),
        protocol::rows(),
        scopes::rows(),
        interplay::rows(),
        thread::rows(),
        reports::rows(),
        ppoll::rows(),
        ext::rows(),
        foreign::rows(),
        input::rows(),
        compound::rows(),
        sync::rows(),
        mpsc::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is protected, and what the edits that follow do to it.
fn row(protection: &'static str, removed: &'static str) -> Row {
    Row { protection, removed, edits: Vec::new(), caught_by: Vec::new(), core: false }
}

impl Row {
    fn at(mut self, marker: &'static str, how: How) -> Row {
        self.edits.push(Edit { marker, how });
        self
    }

    fn gone(self, marker: &'static str) -> Row {
        self.at(marker, How::Gone)
    }

    fn becomes(self, marker: &'static str, new: &'static str) -> Row {
        self.at(marker, How::Becomes(new))
    }

    fn before(self, marker: &'static str, new: &'static str) -> Row {
        self.at(marker, How::Before(new))
    }

    fn condition(self, marker: &'static str, new: &'static str) -> Row {
        self.at(marker, How::Condition(new))
    }

    fn never(self, marker: &'static str) -> Row {
        self.at(marker, How::Never)
    }

    fn always(self, marker: &'static str) -> Row {
        self.at(marker, How::Always)
    }

    fn change(self, marker: &'static str, old: &'static str, new: &'static str) -> Row {
        self.at(marker, How::Change(old, new))
    }

    fn caught_by(mut self, test: &'static str, on: &'static [&'static str]) -> Row {
        self.caught_by.push(Catch { test: Test { path: test, environment: None }, on });
        self
    }

    /// With this in the environment of its test.
    fn with(mut self, name: &'static str, value: &'static str) -> Row {
        let catch = self.caught_by.last_mut().expect("`caught_by` comes before");
        catch.test.environment = Some((name, value));
        self
    }

    /// By this part of the matrix: the cases whose name has this in it.
    fn caught_by_case(self, case: &'static str, on: &'static [&'static str]) -> Row {
        self.caught_by("calls::matrix::every_call_in_every_phase", on).with("STOP_TESTS_CASE", case)
    }

    fn core(self) -> Row {
        Row { core: true, ..self }
    }

    /// Whether the word occurs in what is printed of it.
    pub(crate) fn says(&self, word: &str, sources: &Sources) -> bool {
        let tests = self.caught_by.iter().map(|catch| catch.test.path);
        let markers = self.edits.iter().map(|edit| edit.marker);
        [self.protection, self.removed, &sources.names(&self.edits)]
            .into_iter()
            .chain(markers)
            .chain(tests)
            .any(|text| text.contains(word))
    }
}

impl Test {
    pub(crate) fn target(self) -> &'static str {
        self.path.split_once("::").expect("target::name").0
    }

    pub(crate) fn name(self) -> &'static str {
        self.path.split_once("::").expect("target::name").1
    }
}
