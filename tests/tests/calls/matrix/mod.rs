//! Every covered call, in every phase in which a request can find it, on every
//! backend.
//!
//! | phase | what it shows |
//! |---|---|
//! | before | requested first, with the data there: the call does not begin, the data stays; or, where it goes before a stop, it is reported |
//! | blocked | requested while it provably waits: it ends, nothing is lost |
//! | after | the data is there, no request: the result; the request is seen by the next call |
//! | stray | the stop signal without a request, while it waits: it goes on waiting and then completes |
//! | together | request and data at once: one or the other, and nothing is lost |
//!
//! `--nocapture` prints the matrix. `STOP_TESTS_CASE` chooses the cases that have
//! this in their name.

mod phases;
mod stray;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use stop_testkit::cases::{self, Case};
use stop_tests::{BACKENDS, on_backends};
use stopruntime::Backend;

/// Request and data meet at a different point each time; the part of them that
/// is asked for (`STOP_TESTS_PART`).
const ROUNDS: u64 = 20;
/// Each failure may have taken a time limit; with more the process would be
/// taken for one that hangs, and they would not be reported.
const ENOUGH_FAILURES: usize = 8;

type Phase = fn(&Case, Backend) -> Result<&'static str, String>;

const PHASES: [(&str, Phase); 5] = [
    ("before", phases::before),
    ("blocked", phases::blocked),
    ("after", phases::after),
    ("stray", phases::stray),
    ("together", phases::together),
];

#[test]
fn every_call_in_every_phase() {
    stop_tests::run(concat!(module_path!(), "::every_call_in_every_phase"), &BACKENDS, leave);
    // Only the child of a backend writes a table, only the parent finds one.
    for backend in BACKENDS {
        if let Ok(table) = fs::read_to_string(table_of(std::process::id(), backend)) {
            println!("{table}");
            let _ = fs::remove_file(table_of(std::process::id(), backend));
        }
    }
}

fn table_of(parent: u32, backend: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("matrix-{parent}-{backend}.txt"))
}

on_backends! { ["ppoll without preadv2 and pwritev2 and futex_waitv and epoll_pwait2"];
    fn every_call_in_every_phase_on_an_old_kernel() {
        println!("{}", matrix());
    }
}

/// In the child: for the parent.
fn leave() {
    let table = matrix();
    let file = table_of(std::os::unix::process::parent_id(), stopruntime::backend().name());
    fs::write(file, table).expect("the table can be written");
}

fn matrix() -> String {
    of(cases::all())
}

/// The matrix of these cases.
pub(crate) fn of(mut cases: Vec<Case>) -> String {
    stray::count_stray_signals();
    let backend = stopruntime::backend();
    if let Ok(part) = std::env::var("STOP_TESTS_CASE") {
        cases.retain(|case| case.name.contains(&part));
    }
    assert!(!cases.is_empty(), "no case of that name");
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or(0);
    let mut table = format!("{:width$}", backend.name());
    for (phase, _) in PHASES {
        let _ = write!(table, "  {phase:9}");
    }
    let mut failures = Vec::new();
    for case in &cases {
        if failures.len() >= ENOUGH_FAILURES {
            failures.push("there may be more".into());
            break;
        }
        let _ = write!(table, "\n{:width$}", case.name);
        for (name, phase) in PHASES {
            let open = descriptors();
            let outcome = phase(case, backend).and_then(|outcome| none_leaked(open, outcome));
            let outcome = outcome.unwrap_or_else(|reason| {
                failures.push(format!("{} on {backend}, {name}: {reason}", case.name));
                "FAILED"
            });
            let _ = write!(table, "  {outcome:9}");
        }
    }
    table.push('\n');
    assert!(failures.is_empty(), "{table}\n{}", failures.join("\n"));
    table
}

/// A stopped `accept` or `connect` must not leave one behind.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

fn none_leaked<T>(before: usize, outcome: T) -> Result<T, String> {
    match descriptors() {
        now if now > before => Err(format!("{before} descriptors before, {now} after")),
        _ => Ok(outcome),
    }
}
