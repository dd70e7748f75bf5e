//! Running a model.

use crate::{futex, signal, time};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Runs the model in every order, and returns what the runs came to.
#[allow(clippy::must_use_candidate, reason = "a model may be about nothing but its end")]
pub fn model<T: Ord + Clone + Send + 'static>(
    run: impl Fn() -> T + Send + Sync + 'static,
) -> Vec<T> {
    check(None, run)
}

/// Runs the model in every order that takes a core away from a thread, while
/// that could go on, this often at most. A thread that waits costs nothing.
#[allow(clippy::must_use_candidate, reason = "a model may be about nothing but its end")]
pub fn model_bounded<T: Ord + Clone + Send + 'static>(
    preemptions: usize,
    run: impl Fn() -> T + Send + Sync + 'static,
) -> Vec<T> {
    check(Some(preemptions), run)
}

fn check<T: Ord + Clone + Send + 'static>(
    preemptions: Option<usize>,
    run: impl Fn() -> T + Send + Sync + 'static,
) -> Vec<T> {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.max_branches = builder.max_branches.max(10_000);
    let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
    let noted = Arc::clone(&outcomes);
    builder.check(move || {
        futex::clear();
        signal::clear();
        time::start();
        let outcome = run();
        *noted.lock().unwrap().entry(outcome).or_insert(0) += 1;
    });
    let outcomes = outcomes.lock().unwrap();
    println!("{:?} runs", outcomes.values().collect::<Vec<&u64>>());
    outcomes.keys().cloned().collect()
}
