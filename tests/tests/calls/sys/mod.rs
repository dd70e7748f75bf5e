//! The raw calls of `stopruntime::sys`, each on each backend, in one table:
//!
//! ```console
//! cargo test -p stop-tests --test sys -- --nocapture
//! ```
//!
//! - *before*: requested before the call, although its event is there already;
//! - *during*: requested while it provably waits;
//! - *after*: its event is there, and the request comes after the result.
//!
//! A call that was stopped had no effect: fed, and made again by a thread that
//! is not stopped, it has the result that it would have had.

#![allow(unsafe_code)]
// Results and arguments of system calls, and the names of test modules.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
#![allow(unreachable_pub)]

mod cases;

use cases::caller::{Caller, Ended, panic_text};
use cases::table::{self, Cell, Documented, ENDS, REFUSED, RESULT, STOPPED};
use cases::{Arranged, Call, Case, Nature, names};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use stop_tests::per_backend;
use stopruntime::{Backend, backend};

/// Makes the call with its event there; the request comes after its result.
fn with_its_event(case: &Case, call: Call, feed: Box<dyn FnOnce()>) -> Cell {
    let caller = if case.nature == Nature::WaitsForTheMoment {
        let caller = Caller::start(call, false);
        if caller.waits(case)? {
            feed();
        }
        caller
    } else {
        feed();
        Caller::start(call, false)
    };
    caller.returns()?;
    let (_, outcome, stops_next) = caller.end()?;
    if !stops_next {
        return Err("the request after it is not seen".into());
    }
    match outcome {
        Ok((-1, libc::ENOTSUP)) => Ok(REFUSED),
        Ok((-1, errno)) if case.fails_with == Some(errno) => Ok(RESULT),
        Ok((result, _)) if result == case.gives => Ok(RESULT),
        other => Err(format!("{other:?} instead of {}", case.gives)),
    }
}

/// The call was stopped, and it is as if it had not been made.
fn stopped(case: &Case, ended: Ended, feed: Box<dyn FnOnce()>) -> Cell {
    let (call, outcome, _) = ended;
    if outcome.is_ok() {
        return Err(format!("{outcome:?} instead of a stop"));
    }
    match with_its_event(case, call, feed) {
        Ok(_) => Ok(STOPPED),
        Err(wrong) => Err(format!("made again after the stop: {wrong}")),
    }
}

fn before(case: &Case) -> Cell {
    let Arranged { call, feed, keep: _keep } = (case.arrange)();
    let caller = Caller::start(call, true);
    stopped(case, caller.end()?, feed)
}

fn during(case: &Case) -> Cell {
    let Arranged { call, feed, keep: _keep } = (case.arrange)();
    let caller = Caller::start(call, false);
    if case.nature == Nature::EndsByItself {
        caller.returns()?;
    } else if caller.waits(case)? {
        return stopped(case, caller.end()?, feed);
    }
    match caller.end()?.1 {
        Ok((-1, libc::ENOTSUP)) => Ok(REFUSED),
        // For who may not make it.
        Ok((-1, libc::EPERM)) if case.fails_with == Some(libc::EPERM) => Ok(ENDS),
        Ok((-1, errno))
            if case.fails_with == Some(errno) && case.nature == Nature::EndsByItself =>
        {
            Ok(ENDS)
        }
        Ok((result, _)) if result == case.gives && case.nature == Nature::EndsByItself => Ok(ENDS),
        other => Err(format!("did not wait, or not for its result: {other:?}")),
    }
}

fn after(case: &Case) -> Cell {
    let Arranged { call, feed, keep: _keep } = (case.arrange)();
    with_its_event(case, call, feed)
}

/// The cells of a row; what goes wrong in a phase is in its cell.
fn row(case: &Case, said: Option<Documented>) -> [Cell; 3] {
    let phases: [fn(&Case) -> Cell; 3] = [before, during, after];
    let cells = phases.map(|phase| {
        catch_unwind(AssertUnwindSafe(|| phase(case)))
            .unwrap_or_else(|panic| Err(panic_text(&*panic)))
    });
    as_documented(cells, said)
}

/// A call is refused where the documentation says so, and nowhere else.
fn as_documented(cells: [Cell; 3], said: Option<Documented>) -> [Cell; 3] {
    let said = if backend() == Backend::Ppoll { said } else { None };
    let refused = match said {
        None | Some(Documented::Done) => [false, false, false],
        Some(Documented::RefusedIfItWaits) => [false, true, false],
        Some(Documented::Refused) => [false, true, true],
    };
    let mut refused = refused.into_iter();
    cells.map(|cell| {
        let refused = refused.next().unwrap_or_default();
        match cell {
            // For who may not make it, nobody can say more.
            Ok(ENDS) if refused && !is_root() => Ok(ENDS),
            Ok(cell) if (cell == REFUSED) != refused => {
                let cell = if cell == REFUSED { "ENOTSUP" } else { cell };
                Err(format!("{cell}, where the documentation has {said:?}"))
            }
            cell => cell,
        }
    })
}

fn is_root() -> bool {
    // SAFETY: takes no argument, cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// The function: what stands before a parenthesis says how it is called.
fn base(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}

/// In the child.
fn rows() {
    let documented = table::documented();
    let of = |case: &Case| (case.name, row(case, documented.get(case.name).copied()));
    let cases = cases::that_can_be(cases::cases());
    let rows: Vec<_> = cases.iter().map(of).collect();
    table::leave(backend().name(), &rows);
}

#[test]
fn the_whole_table() {
    let path = concat!(module_path!(), "::the_whole_table");
    let backends = table::backends();
    if stop_tests::is_child() {
        stop_tests::run(path, &backends, rows);
        return;
    }
    // Also where a child comes to grief there is a table to look at.
    let ran = catch_unwind(|| stop_tests::run(path, &backends, rows));
    let (text, wrong) = table::table(&cases::that_can_be(cases::cases()), &backends);
    println!("\n{text}");
    if let Err(panic) = ran {
        resume_unwind(panic);
    }
    assert_eq!(wrong, 0, "cells are wrong:\n{text}");
}

/// What has a row, by the names of the plain functions.
fn covered() -> BTreeSet<String> {
    let of = |case: Case| {
        let names = case.stands_for.iter().copied().chain([base(case.name)]);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    cases::cases().into_iter().flat_map(of).collect()
}

#[test]
fn every_name_has_a_row_or_a_reason() {
    let covered = covered();
    let functions = table::functions();
    assert_eq!(names::ISC.split_whitespace().count(), 49);
    let lists = [
        names::POSIX,
        names::GLIBC,
        names::GLIBC_BUILT,
        names::ISC,
        names::LINUX,
        names::POSIX_MAY,
    ];
    let all: BTreeSet<&str> = lists
        .into_iter()
        .flat_map(str::split_whitespace)
        .chain(functions.iter().map(String::as_str))
        .collect();
    let excepted: BTreeSet<&str> =
        names::EXCEPTIONS.iter().flat_map(|(names, _)| names.split_whitespace()).collect();
    let missing: Vec<&&str> =
        all.iter().filter(|name| !covered.contains(**name) && !excepted.contains(*name)).collect();
    assert!(missing.is_empty(), "neither a row nor a reason: {missing:?}");
    let stale: Vec<&&str> =
        excepted.iter().filter(|name| covered.contains(**name) || !all.contains(*name)).collect();
    assert!(stale.is_empty(), "an exception that is none: {stale:?}");
}

#[test]
fn the_documentation_has_the_rows_of_the_table() {
    let functions = table::functions();
    let of_sys = |case: &Case| functions.iter().any(|function| function == base(case.name));
    let rows: BTreeSet<String> = cases::cases()
        .iter()
        .filter(|case| of_sys(case))
        .map(|case| case.name.to_owned())
        .collect();
    let documented: BTreeSet<String> = table::documented().into_keys().collect();
    assert_eq!(rows, documented);
}

per_backend! {
    /// A request ends a wait whose own mask would keep the signal out.
    fn a_full_mask_does_not_keep_the_request_out() {
        for case in cases::that_can_be(cases::with_full_masks()) {
            let Arranged { call, keep: _keep, .. } = (case.arrange)();
            let caller = Caller::start(call, false);
            assert!(caller.waits(&case).unwrap(), "{} does not wait", case.name);
            let (_, outcome, _) = caller.end().unwrap();
            assert!(outcome.is_err(), "{}: {outcome:?} instead of a stop", case.name);
        }
    }
}
