//! Each system call that can be marked has a row in the table of foreign regions, or runs
//! there: a call without one would wait, and no stop would end it.

use std::collections::BTreeSet;

const MARKED: &str = include_str!("../../../stopruntime/src/report/names.rs");
const TABLE: &str = include_str!("../../../stopruntime/src/foreign/ways/table.rs");

/// They wait for disks, and for the first random numbers, and not for a peer.
const RUN: [&str; 10] = [
    "copy_file_range",
    "fallocate",
    "fdatasync",
    "fsync",
    "getrandom",
    "msync",
    "open_by_handle_at",
    "sync",
    "sync_file_range",
    "syncfs",
];

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').collect()
}

#[test]
fn regions_know_each_call_that_can_be_marked() {
    let marked = MARKED.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next());
    let marked: BTreeSet<&str> = marked.collect();
    assert!(marked.contains("accept4") && marked.len() > 50, "{marked:?}");
    let rows = words(TABLE);
    for name in marked {
        let has_row = rows.contains(format!("SYS_{name}").as_str());
        assert_ne!(has_row, RUN.contains(&name), "{name}");
    }
}
