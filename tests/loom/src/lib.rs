//! The primitives of `stopruntime::sync` under [loom], which runs a test once
//! for every order in which its threads can meet, and for every value that the
//! memory model lets a load return. Requests are among the racing operations.
//!
//! ```console
//! cargo test --release -p stop-loom
//! ```
//!
//! # What runs
//!
//! The sources of `stopruntime::sync` themselves, of the claim under which a stop signal is
//! sent, of a thread's mark that it sleeps on its flag, and of the wait of the ppoll backend,
//! copied by `build.rs` with a few words changed. Below them stand models of what they are
//! built on:
//!
//! | the sources say | here |
//! |---|---|
//! | `core::sync::atomic` | [`atomic`]: loom's, with a fence behind `SeqCst` stores |
//! | `core::cell::UnsafeCell` | [`cell`]: one access at a time |
//! | `std::time` | [`time`]: a clock that a test moves |
//! | `crate::runtime::futex`, `crate::call` | [`futex`]: the kernel's queue of waiters |
//! | `crate::scope` | [`scope`]: a request, and what a wait makes of it |
//! | `crate::runtime::signal` | [`signal`]: membarrier(2) |
//! | `crate::runtime::record` | [`Record`]: the words of one thread, and its signal |
//!
//! Small tests of these models themselves are in `tests/litmus.rs`, and of each weak
//! ordering of the scopes in `tests/scopes.rs`.
//!
//! A thread that sleeps for ever is found: loom reports a deadlock when no
//! thread can run. So a test that ends has shown that no thread hangs.
//!
//! Models of two threads are run in every order; most of three and four only in
//! those that take a core away from threads that could go on two or three times
//! ([`model_bounded`] says how often in each). `LOOM_MAX_PREEMPTIONS=4` sets
//! another bound for all, and takes hours.
//!
//! # A test
//!
//! Stands in `tests/`, one file a primitive: a closure given to [`model()`], or
//! to [`model_bounded`] if that takes too long, which starts its threads with
//! [`thread::spawn`] and joins them all. [`Data`] behind the lock or in the
//! message shows that what was done before is seen. What the closure returns is
//! collected: the set of outcomes shows that the threads met in every way they
//! can. The clock stands still until [`time::pass`], and
//! [`thread::JoinHandle::interrupt`] makes a wait return early.
//!
//! # What does not show
//!
//! - The futex names its waiters in the order of their coming, as the kernel
//!   does for threads of one priority.
//! - A thread that is woken, or stopped in its sleep, has synchronised with the one that did it.
//! - A `SeqCst` store orders more than it does ([`atomic`]), and so does a
//!   barrier for all threads ([`signal`]).
//! - Data that threads share is not watched by itself (`SHARES` in `build.rs`):
//!   a test puts [`Data`] there.
//! - A `compare_exchange_weak` never fails by itself, and of what a word held
//!   loom keeps the last seven values.
//!
//! [loom]: https://docs.rs/loom

pub mod atomic;
mod call;
pub mod cell;
mod data;
pub mod futex;
mod model;
mod record;
pub mod scope;
pub mod signal;
pub mod thread;
pub mod time;

/// Where the sources look for them.
mod runtime {
    pub(crate) use crate::{futex, record, signal};

    pub(crate) mod scopes {
        pub(crate) use crate::record::LOOK;
    }
}

// The copies: `sync`, `claim`, `on_flag`, and `inside` with and without its fences.
include!(concat!(env!("OUT_DIR"), "/modules.rs"));

pub use data::Data;
pub use model::{model, model_bounded};
pub use record::{LOOK, Record};
