//! The calls of `stopruntime::sys`, by the matrix of all phases; against the table in
//! their documentation, and against the lists of standards and libraries.

#![allow(unsafe_code)]

mod names;
mod table;

use crate::matrix;
use std::collections::BTreeSet;
use stop_testkit::cases::{Case, Control, Outcome, Running};
use stop_testkit::sys;
use stop_tests::{emulation_hides, not_tested, per_backend};
use stopruntime::backend;
use table::Documented;

/// What qemu-user 7.2 does not have, or goes on waiting in when a signal comes.
const NOT_EMULATED: [&str; 15] = [
    "preadv2",
    "pwritev2",
    "splice",
    "tee",
    "vmsplice",
    "sendfile",
    "openat2",
    "open_by_handle_at",
    "ioctl",
    "epoll_pwait2",
    "mq_timedreceive",
    "mq_timedsend",
    "syscall",
    "futex_waitv",
    "io_uring_enter",
];

/// Those of the owner of a lock.
const LOCKS: &str = "futex(FUTEX_LOCK_PI";

/// Without what an emulator of user space keeps from being tested.
fn that_can_be(mut cases: Vec<Case>) -> Vec<Case> {
    let why = "ENOSYS, or goes on waiting when a signal comes";
    if emulation_hides(&NOT_EMULATED.join(" "), why) {
        cases.retain(|case| !NOT_EMULATED.contains(&base(case.name)));
    }
    if cfg!(target_endian = "big") && emulation_hides(LOCKS, stop_tests::OWNER_SWAPPED) {
        cases.retain(|case| !case.name.starts_with(LOCKS));
    }
    cases
}

/// The function: what stands before a parenthesis says how it is called.
fn base(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}

/// The rows, each refused where the documentation says so, and nowhere else.
fn rows() -> Vec<Case> {
    let documented = table::documented();
    let as_documented = |case: Case| match documented.get(case.name) {
        Some(Documented::RefusedIfItWaits) => case.refused_on_ppoll(false),
        Some(Documented::Refused) => case.refused_on_ppoll(true),
        None | Some(Documented::Done) => case,
    };
    let cases = that_can_be(sys::cases());
    if cases.iter().any(|case| case.name == "io_uring_enter" && case.ends_by_itself) {
        not_tested("io_uring_enter", "the kernel refuses rings");
    }
    cases.into_iter().map(as_documented).collect()
}

per_backend! {
    fn the_whole_table() {
        println!("{}", matrix::of(rows()));
    }

    /// A request ends a wait whose own mask would keep the signal out.
    fn a_full_mask_does_not_keep_the_request_out() {
        for case in that_can_be(sys::with_full_masks()) {
            let fixture = case.arrange().unwrap();
            let (marked, _control) = Control::split(&case, fixture);
            let running = Running::start(marked);
            running.wait_until_blocked(&case, backend()).expect(case.name);
            running.request_stop();
            let outcome = running.join().expect(case.name);
            assert!(matches!(outcome, Outcome::Stopped(_)), "{}: {outcome:?}", case.name);
        }
    }
}

/// What has a row, by the names of the plain functions.
fn covered() -> BTreeSet<String> {
    let of = |case: Case| {
        let names = case.stands_for.iter().copied().chain([base(case.name)]);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    sys::cases().into_iter().flat_map(of).collect()
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
    let rows: BTreeSet<String> =
        sys::cases().iter().filter(|case| of_sys(case)).map(|case| case.name.to_owned()).collect();
    let documented: BTreeSet<String> = table::documented().into_keys().collect();
    assert_eq!(rows, documented);
}
