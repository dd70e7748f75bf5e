//! The rows, by the part of the runtime that they change.
//!
//! A text that is to be replaced stands in its file exactly once: a row that
//! does not fit the sources any more is an error, not a mutation that passes.

mod compound;
mod earlier;
mod ext;
mod input;
mod mpsc;
mod ppoll;
mod protocol;
mod signal;
mod surroundings;
mod sync;
mod thread;
mod window;

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

/// In a file under `stopruntime/src`, one text in another's place.
pub(crate) struct Edit {
    pub(crate) file: &'static str,
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
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
        signal::rows(),
        earlier::rows(),
        surroundings::rows(),
        protocol::rows(),
        thread::rows(),
        ppoll::rows(),
        ext::rows(),
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
    fn edit(mut self, file: &'static str, old: &'static str, new: &'static str) -> Row {
        self.edits.push(Edit { file, old, new });
        self
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

    /// The files that it changes.
    pub(crate) fn files(&self) -> String {
        let mut files: Vec<_> = self.edits.iter().map(|edit| edit.file).collect();
        files.dedup();
        files.join(", ")
    }

    /// Whether the word occurs in what is printed of it.
    pub(crate) fn says(&self, word: &str) -> bool {
        let tests = self.caught_by.iter().map(|catch| catch.test.path);
        [self.protection, self.removed, &self.files()]
            .into_iter()
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
