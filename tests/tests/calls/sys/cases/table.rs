//! The one table: what the children of three backends have found, side by
//! side, and what the documentation says of it.

use super::Case;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use stop_tests::BACKENDS;

/// What a cell says, and what is in it where that is not so.
pub type Cell = Result<&'static str, String>;

pub const STOPPED: &str = "stopped";
pub const RESULT: &str = "result";
pub const ENDS: &str = "ends by itself";
pub const REFUSED: &str = "ENOTSUP (documented)";
pub const PHASES: [&str; 3] = ["before", "during", "after"];

/// Where a backend's child leaves its cells for the parent.
fn place(parent: u32, backend: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sys-{parent}-{backend}.txt"))
}

/// In the child: leaves its rows.
pub fn leave(backend: &str, rows: &[(&str, [Cell; 3])]) {
    let mut text = String::new();
    for (name, cells) in rows {
        text.push_str(name);
        for cell in cells {
            let cell = match cell {
                Ok(cell) => (*cell).to_owned(),
                Err(wrong) => format!("WRONG: {}", wrong.replace(['\t', '\n'], " ")),
            };
            let _ = write!(text, "\t{cell}");
        }
        text.push('\n');
    }
    std::fs::write(place(std::os::unix::process::parent_id(), backend), text).unwrap();
}

/// In the parent: the cells of a backend's child, by row.
pub fn collect(backend: &str) -> BTreeMap<String, Vec<String>> {
    let place = place(std::process::id(), backend);
    let text = std::fs::read_to_string(&place).unwrap_or_default();
    let _ = std::fs::remove_file(place);
    text.lines()
        .map(|line| {
            let mut cells = line.split('\t').map(str::to_owned);
            (cells.next().unwrap_or_default(), cells.collect())
        })
        .collect()
}

/// The table, and how many of its cells are wrong. An empty one is. A function
/// that has something in its place has a row of its own.
pub fn table(cases: &[Case], backends: &[&str]) -> (String, usize) {
    let found: Vec<_> = backends.iter().map(|backend| collect(backend)).collect();
    let mut lines = vec![vec![String::new()], vec!["call".to_owned()]];
    for backend in backends {
        lines[0].extend([backend, "", ""].map(str::to_owned));
        lines[1].extend(PHASES.map(str::to_owned));
    }
    let mut wrong = 0;
    for case in cases {
        let mut cells = Vec::new();
        for (backend, phase) in
            found.iter().flat_map(|all| (0..PHASES.len()).map(move |at| (all, at)))
        {
            let cell = backend.get(case.name).and_then(|cells| cells.get(phase)).cloned();
            let cell = cell.unwrap_or_else(|| "WRONG: nothing".to_owned());
            wrong += usize::from(![STOPPED, RESULT, ENDS, REFUSED].contains(&cell.as_str()));
            cells.push(cell);
        }
        let instead = case.stands_for.iter().map(|name| format!("{name} (as {})", case.name));
        for name in [case.name.to_owned()].into_iter().chain(instead) {
            lines.push([vec![name], cells.clone()].concat());
        }
    }
    (aligned(&lines), wrong)
}

fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| lines.iter().filter_map(|line| line.get(at)).map(String::len).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(row, "{cell:width$}  ");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// What the documentation says of a call on the ppoll backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documented {
    /// It can be stopped, or ends by itself.
    Done,
    /// It is made if it does not have to wait, else `ENOTSUP`.
    RefusedIfItWaits,
    /// `ENOTSUP`.
    Refused,
}

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stopruntime/src/sys");

/// The table in the documentation of `stopruntime::sys`.
pub fn documented() -> BTreeMap<String, Documented> {
    let text = std::fs::read_to_string(format!("{SOURCE}/mod.rs")).unwrap();
    let (_, table) = text.split_once("//! | calls | how |\n").expect("the table");
    let rows = table.lines().skip(1).map_while(|line| line.strip_prefix("//! | `"));
    let mut all = BTreeMap::new();
    for row in rows {
        let (calls, how) = row.split_once(" | ").expect("two columns");
        let said = match how.split_once("`ENOTSUP`") {
            None => Documented::Done,
            Some((before, _)) if before.ends_with("else ") => Documented::RefusedIfItWaits,
            Some(_) => Documented::Refused,
        };
        // What is not between backquotes is prose.
        for call in format!("`{calls}").split('`').skip(1).step_by(2) {
            let before = all.insert(call.to_owned(), said);
            assert_eq!(before, None, "`{call}` is in the table twice");
        }
    }
    assert!(all.len() > 50, "the table is not found");
    all
}

/// The functions of `stopruntime::sys`, by the names of the plain calls.
pub fn functions() -> Vec<String> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(SOURCE).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines().map(str::trim_start) {
            // In the list of a macro, or by itself.
            let name = match line.strip_prefix('"') {
                Some(line) => line.split_once("\" ").filter(|(_, rest)| rest.contains("_or_stop(")),
                None => line
                    .strip_prefix("pub unsafe fn ")
                    .and_then(|line| line.split_once("_or_stop(")),
            };
            all.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    assert!(all.len() > 70, "the functions are not found: {all:?}");
    all
}

/// The backends that this run goes through.
pub fn backends() -> Vec<&'static str> {
    let forced = std::env::var("STOPRUNTIME_BACKEND").ok();
    let runs = |name: &&str| forced.as_deref().is_none_or(|forced| forced == *name);
    BACKENDS.into_iter().filter(runs).collect()
}
