//! The mutation table: for each protection of the stop protocol a change to the
//! sources that removes it, and the test that goes red without it. A protection
//! that no test misses cannot be relied on.
//!
//! ```console
//! cargo run --release -p stop-tests --bin mutations [-- [--core | --list | --check] [WORD…]]
//! ```
//!
//! Works on a copy of the workspace, in the target directory: first every test
//! that the table names runs as it is and has to pass, then each row's change is
//! made, its tests have to fail or to hang, and the change is taken back. Each
//! result is a row of a table in Markdown, printed as soon as it is known. The
//! exit status is 1 if a mutation survives, or if a row does not fit the sources
//! any more. What a row changes is found by a marker in the sources ([`source`]).
//!
//! With WORDs only the rows in which each of them occurs; with `--core` only
//! those that CI goes through, quick ones, one or two for each part;
//! `--list` runs nothing; `--check` looks only whether the rows fit the sources,
//! which a test of this program does too.

mod reaper;
mod run;
mod source;
mod table;
mod workspace;

use run::{Ending, Program, run};
use source::Sources;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use table::{Row, Test, rows};
use workspace::Workspace;

/// A test, and the backend it runs on; empty if it chooses by itself.
type Place = (Test, &'static str);

/// What a test is, unmutated.
struct Baseline {
    program: Program,
    took: Duration,
}

const OPTIONS: [&str; 3] = ["--core", "--list", "--check"];

fn main() -> ExitCode {
    let (options, words): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = options.iter().find(|one| !OPTIONS.contains(&one.as_str())) {
        eprintln!("{unknown}: there are {}, and words to choose rows by", OPTIONS.join(", "));
        return ExitCode::from(2);
    }
    let sources = match Sources::read(workspace::original()) {
        Ok(sources) => sources,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let all = rows();
    let count = all.len();
    let asked = |option: &str| options.iter().any(|one| one == option);
    let core = asked("--core");
    let chosen: Vec<Row> = all
        .into_iter()
        .filter(|row| (!core || row.core) && words.iter().all(|word| row.says(word, &sources)))
        .collect();
    let which = if core { "the core of them" } else { "chosen" };
    println!("{} of {count} mutations: {which}\n", chosen.len());
    if asked("--list") {
        for Row { protection, removed, .. } in &chosen {
            println!("{protection}: {removed}");
        }
        return ExitCode::SUCCESS;
    }
    let outcome = check(&chosen).and_then(|()| {
        if asked("--check") {
            let unused = sources.unused(rows().iter().flat_map(|row| &row.edits)).join(", ");
            return if unused.is_empty() { Ok(0) } else { Err(format!("no row: {unused}")) };
        }
        go_through(&chosen, &sources)
    });
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(survivors) => {
            eprintln!("\n{survivors} not caught");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\n{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether each row changes what its markers stand at, and its tests exist.
fn check(rows: &[Row]) -> Result<(), String> {
    let root = workspace::original();
    let sources = Sources::read(root)?;
    let mut says = Vec::new();
    for row in rows {
        says.extend(sources.changes(&row.edits).err());
        let tests = row.caught_by.iter().map(|catch| catch.test);
        let missing = tests.filter(|test| !workspace::has_test(root, *test));
        says.extend(missing.map(|test| format!("{}: there is no {}", row.protection, test.path)));
    }
    if says.is_empty() { Ok(()) } else { Err(says.join("\n")) }
}

/// The number of rows that were not caught.
fn go_through(rows: &[Row], sources: &Sources) -> Result<usize, String> {
    reaper::adopt_orphans();
    let workspace = Workspace::copied().map_err(|error| format!("copying: {error}"))?;
    let start = Instant::now();
    let baselines = unmutated(&workspace, rows)?;
    println!("{} tests pass unmutated, {:.0?}\n", baselines.len(), start.elapsed());
    println!("| protection | file | removed | on | caught by | how | s |");
    println!("|---|---|---|---|---|---|---|");
    let start = Instant::now();
    let missed = rows.iter().filter(|row| !is_caught(&workspace, row, &baselines, sources)).count();
    println!("\n{} mutations, {:.0?}", rows.len(), start.elapsed());
    Ok(missed)
}

/// Each test that the rows name, as the sources are: it exists and passes.
fn unmutated(workspace: &Workspace, rows: &[Row]) -> Result<BTreeMap<Place, Baseline>, String> {
    let mut baselines = BTreeMap::new();
    let mut failures = Vec::new();
    let named = rows.iter().flat_map(|row| &row.caught_by);
    let programs = workspace.build(named.clone().map(|catch| catch.test.target()))?;
    for catch in named {
        for on in catch.on {
            let place = (catch.test, *on);
            if baselines.contains_key(&place) {
                continue;
            }
            let program = programs[catch.test.target()].clone();
            let (ending, took) = run(&program, catch.test, on, Duration::from_secs(300));
            if !matches!(ending, Ending::Passed) {
                let path = catch.test.path;
                failures.push(format!("{path} on {on}, without a mutation: {ending}"));
            }
            baselines.insert(place, Baseline { program, took });
        }
    }
    if failures.is_empty() { Ok(baselines) } else { Err(failures.join("\n")) }
}

/// Makes the change, and prints what its tests say.
fn is_caught(
    workspace: &Workspace,
    row: &Row,
    baselines: &BTreeMap<Place, Baseline>,
    sources: &Sources,
) -> bool {
    let start = Instant::now();
    let print = |on: &str, test: &str, how: &str, start: Instant| {
        let Row { protection, removed, .. } = row;
        let (files, seconds) = (sources.names(&row.edits), start.elapsed().as_secs_f32());
        println!("| {protection} | {files} | {removed} | {on} | {test} | {how} | {seconds:.1} |");
    };
    let built = workspace.edited(&row.edits).and_then(|edited| {
        workspace.build(row.caught_by.iter().map(|catch| catch.test.target()))?;
        Ok(edited)
    });
    // Taken back when it is dropped.
    let _edited = match built {
        Ok(edited) => edited,
        Err(error) => {
            print("", "", &format!("**ERROR**: {error}"), start);
            return false;
        }
    };
    let mut caught = true;
    let mut start = start;
    for catch in &row.caught_by {
        for on in catch.on {
            let Baseline { program, took } = &baselines[&(catch.test, *on)];
            let (ending, _) = run(program, catch.test, on, limit(*took));
            caught &= matches!(ending, Ending::Failed(_) | Ending::Hung);
            print(on, catch.test.path, &ending.to_string(), start);
            start = Instant::now();
        }
    }
    caught
}

/// From when on a test that takes so long unmutated hangs: many times as long,
/// for the machine may be busy, but not hours.
fn limit(took: Duration) -> Duration {
    Duration::from_secs(8) + (took * 8).min(took * 2 + Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::{Sources, check, rows, workspace};

    #[test]
    fn every_row_fits_the_sources() {
        check(&rows()).unwrap();
    }

    #[test]
    fn every_marker_has_a_row() {
        let sources = Sources::read(workspace::original()).unwrap();
        let rows = rows();
        let unused = sources.unused(rows.iter().flat_map(|row| &row.edits));
        assert!(unused.is_empty(), "{unused:?}");
    }
}
