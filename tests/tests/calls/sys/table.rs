//! What the documentation of `stopruntime::sys` says, and which functions it has.

use std::collections::BTreeMap;

/// What the documentation says of a call on the ppoll backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documented {
    /// It can be stopped, or ends by itself.
    Done,
    /// It is made if it does not have to wait, else `ENOTSUP`.
    RefusedIfItWaits,
    /// `ENOTSUP`.
    Refused,
}

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stopruntime/src/sys");

/// The table in the documentation of `stopruntime::sys`.
pub(super) fn documented() -> BTreeMap<String, Documented> {
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
pub(super) fn functions() -> Vec<String> {
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
