//! Running a model.

use crate::{futex, time};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

/// Runs the model in every order.
pub fn model(run: impl Fn() + Send + Sync + 'static) {
    check(None, run);
}

/// Runs the model in every order that takes a thread off its core, while it
/// could go on, this often at most. Waits are free, whoever waits.
pub fn model_bounded(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    check(Some(preemptions), run);
}

fn check(preemptions: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.max_branches = builder.max_branches.max(10_000);
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        futex::clear();
        time::start();
        run();
    });
    println!("{} runs", runs.load(Relaxed));
}

/// How often the runs of a model came to an outcome: a model whose threads
/// never meet shows nothing.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<AtomicUsize>);

impl Seen {
    /// Counts this run.
    pub fn note(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Counts this run if so.
    pub fn note_if(&self, so: bool) {
        if so {
            self.note();
        }
    }

    /// How often.
    #[must_use]
    pub fn times(&self) -> usize {
        self.0.load(Relaxed)
    }
}
