//! The stop protocol as a model, explored exhaustively: every interleaving of
//! a thread, two requesters, the kernel, a foreign signal and the store buffer
//! of an x86 core.
//!
//! | file | what it models |
//! |---|---|
//! | `state` | the words of `runtime/record.rs`, the thread, its signals |
//! | `thread` | the window, `settle`, the end of a thread, the loop of the ppoll backend |
//! | `kernel` | signal delivery, restarts, rseq, our handler, a foreign one |
//! | `requester` | `request_stop` |
//! | `explore` | breadth-first search, with a trace for what it finds |
//!
//! In every state of every run:
//!
//! - a call that reports a stop had no effect;
//! - no unmarked wait is interrupted by the stop signal;
//! - no thread id is signalled after its thread has ended;
//! - a thread that is requested to stop does not sleep with nothing left that
//!   would wake it, and can always reach its end without help from outside.
//!
//! Each protection that is taken out of the model makes one of these fail,
//! which is what shows that the model can.

mod explore;
mod kernel;
mod requester;
mod state;
mod thread;

use explore::explore;
use state::{Backend, Config, Fault, Op, Without};

/// Two marked calls and an unmarked one after each; a stop of either goes on at
/// the last unmarked one, which is the clean-up.
const LOOP: &[Op] = &[Op::Marked, Op::Unmarked, Op::Marked, Op::Unmarked];
const SHIELDED: &[Op] = &[Op::Shield, Op::Marked, Op::Unshield, Op::Marked, Op::Unmarked];

/// Where nothing is taken out: half of [`all`], and all with `STOP_TESTS=all`.
fn chosen() -> Vec<Config> {
    let everything = std::env::var("STOP_TESTS").is_ok_and(|which| which == "all");
    let is_chosen = |one: &Config| everything || one.restartable == one.foreign_restarts;
    all().into_iter().filter(is_chosen).collect()
}

fn all() -> Vec<Config> {
    let mut all = Vec::new();
    for backend in [
        Backend::Rseq,
        Backend::RseqSince619,
        Backend::Handler,
        Backend::Ppoll,
        Backend::PpollFutex,
    ] {
        for program in [LOOP, SHIELDED] {
            for restartable in [true, false] {
                for foreign_restarts in [true, false] {
                    all.push(Config {
                        backend,
                        program,
                        restartable,
                        foreign_restarts,
                        membarrier: true,
                        must_be_quiet: true,
                        without: Without::Nothing,
                    });
                }
            }
        }
    }
    all
}

#[test]
fn no_stop_is_lost_and_nothing_is_lost_with_one() {
    let (mut states, configurations) = (0, chosen());
    for config in &configurations {
        let found = explore(config);
        assert!(found.fault.is_none(), "{config:?}: {}", found.describe());
        states += found.states;
    }
    println!("{} configurations, {states} states", configurations.len());
    assert!(states > configurations.len(), "the search did not move");
}

/// Without membarrier the thread is signalled whether it is marked or not: an
/// unmarked wait may notice, but no stop is lost, nor a result.
#[test]
fn without_membarrier_only_the_quiet_is_lost() {
    let mut disturbed = 0;
    for config in chosen() {
        let config = Config { membarrier: false, ..config };
        let found = explore(&Config { must_be_quiet: false, ..config.clone() });
        assert!(found.fault.is_none(), "{config:?}: {}", found.describe());
        disturbed += usize::from(explore(&config).fault == Some(Fault::Disturbed));
    }
    assert!(disturbed > 0, "docs/limits.md says that it may be");
}

/// Every protection is necessary: without it the search finds a fault.
#[test]
fn each_protection_that_is_taken_out_is_missed() {
    for (without, backend, membarrier) in Without::EACH {
        let configurations = all().into_iter().filter(|config| config.backend == backend);
        let found = configurations
            // Without membarrier it disturbs anyway.
            .map(|config| Config { without, membarrier, must_be_quiet: membarrier, ..config })
            .map(|config| explore(&config))
            .find(|found| found.fault.is_some());
        let found = found.unwrap_or_else(|| panic!("{without:?}: nothing found"));
        println!("without {without:?} on {}: {}\n", backend.name(), found.describe());
    }
}
