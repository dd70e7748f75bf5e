//! The stop protocol and its scopes as a model, explored exhaustively: every
//! interleaving of a thread, two requesters, the helper of deadlines, the kernel, a
//! foreign signal and the store buffer of an x86 core.
//!
//! | file | what it models |
//! |---|---|
//! | `program` | what the thread runs: calls and checkpoints in scopes and shields |
//! | `config` | what is explored, and what can be taken out |
//! | `state` | the words of `runtime/record.rs`, the scopes, the thread, its signals |
//! | `thread` | the window, `settle`, checkpoints, the end of a thread, the loop of the ppoll backend |
//! | `scopes` | the look at the scopes, entering and leaving |
//! | `kernel` | signal delivery, restarts, rseq, our handler, a foreign one |
//! | `requester` | `request_stop`, and the helper that tells of a deadline |
//! | `explore` | breadth-first search, with a trace for what it finds |
//! | `rows` | each protection, and where its lack is found |
//!
//! In every state of every run:
//!
//! - a call that reports a stop had no effect, and runs under something that is stopped;
//! - no unmarked wait is interrupted by the stop signal, and no call that nothing stops;
//! - no thread id is signalled after its thread has ended;
//! - a thread that runs under something stopped does not sleep with nothing left that
//!   would wake it, and can always reach its end without help from outside;
//! - `EINTR` comes from a foreign signal only.
//!
//! Each protection that is taken out of the model makes one of these fail,
//! which is what shows that the model can.
//!
//! Left out: `deadlines.rs` has the helper of deadlines, which knows here when one
//! passes; and memory is that of x86. `tests/loom` has the litmus tests of weaker ones.
//!
//! `cargo test` explores a part of the configurations; `STOP_TESTS=all` explores them all,
//! which takes minutes.

mod config;
mod explore;
mod kernel;
mod program;
mod requester;
mod rows;
mod scopes;
mod state;
mod thread;

use config::{Backend, Config, Without};
use explore::explore;
use program::PROGRAMS;
use rows::ROWS;
use state::Fault;

fn everything() -> bool {
    std::env::var("STOP_TESTS").is_ok_and(|which| which == "all")
}

/// Where nothing is taken out: a part of [`all`], a third of that for a developer, and all
/// with `STOP_TESTS=all`.
fn chosen() -> Vec<Config> {
    let is_chosen = |one: &Config| {
        let quick = match one.backend {
            Backend::Rseq => one.restartable != one.on_top,
            Backend::Ppoll => one.restartable && !one.on_top,
            Backend::Handler => !one.restartable && !one.on_top,
            Backend::RseqSince619 | Backend::PpollFutex => false,
        };
        everything() || quick && !one.foreign
    };
    let third = if std::env::var_os("STOP_TESTS").is_none() { 3 } else { 1 };
    all().into_iter().filter(is_chosen).step_by(third).collect()
}

fn all() -> Vec<Config> {
    let mut all = Vec::new();
    for backend in Backend::ALL {
        for (name, program, targets) in PROGRAMS {
            for (restartable, foreign, foreign_restarts, data) in [
                (true, false, true, 1),
                (false, false, true, 1),
                (true, true, true, 0),
                (false, true, false, 0),
            ] {
                for on_top in [false, true] {
                    if on_top && foreign {
                        continue;
                    }
                    all.push(Config {
                        backend,
                        name,
                        program,
                        targets,
                        on_top,
                        foreign,
                        restartable,
                        foreign_restarts,
                        data,
                        membarrier: true,
                        without: Without::Nothing,
                    });
                }
            }
        }
    }
    all
}

fn explore_all(configurations: &[Config]) {
    let mut states = 0;
    for config in configurations {
        let found = explore(config);
        assert!(found.fault.is_none(), "{config:?}: {}", found.describe());
        states += found.states;
    }
    println!("{} configurations, {states} states", configurations.len());
    assert!(states > configurations.len(), "the search did not move");
}

#[test]
fn no_stop_is_lost_and_nothing_is_lost_with_one() {
    explore_all(&chosen());
}

/// Without membarrier a thread is signalled whether it is marked or not: an unmarked
/// wait may notice, but no stop is lost, nor a result, and a thread waits for
/// requesters before it takes its flag down.
#[test]
fn without_membarrier_only_the_quiet_is_lost() {
    let without = |config: Config| Config { membarrier: false, ..config };
    let is_chosen = |config: &Config| {
        config.backend.has_window()
            && (everything() || config.backend == Backend::Rseq && !config.on_top)
    };
    let configurations = chosen().into_iter().filter(is_chosen);
    explore_all(&configurations.map(without).collect::<Vec<_>>());
}

/// Every protection is necessary: without it the search finds a fault.
#[test]
fn each_protection_that_is_taken_out_is_missed() {
    let mut harmless = Vec::new();
    for (without, backend, program, membarrier) in ROWS {
        let found = all()
            .into_iter()
            .filter(|config| config.backend == backend && config.name == program)
            .map(|config| Config { membarrier, without, ..config })
            .map(|config| explore(&config))
            .find(|found| found.fault.is_some());
        match found {
            Some(found) => {
                println!("without {without:?} on {backend:?}: {}\n", found.describe());
                assert!(found.fault != Some(Fault::Trapped) || !membarrier, "{without:?}: a trap");
            }
            None => harmless.push(without),
        }
    }
    assert!(harmless.is_empty(), "nothing found without {harmless:?}");
}
