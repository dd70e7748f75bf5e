//! Threads that can be stopped while they block: promptly, race-free, losing
//! nothing.
//!
//! It is easy to start a thread, and hard to stop one that waits in `accept`,
//! `recv_from`, `read` or a sleep. While it waits it does not look at a flag; a signal can
//! come just before the system call and be lost; `pthread_cancel` unwinds through code
//! that does not expect it; a time-out wakes the thread for nothing. Here the thread's
//! function is annotated, its blocking calls are marked, and what follows its loop is the
//! clean-up:
//!
//! ```
//! use std::fs::File;
//! use std::io::{self, Write};
//! use std::net::UdpSocket;
//! use stopruntime::{stoppable, thread};
//!
//! #[stoppable]
//! fn collect(socket: UdpSocket, mut log: File) -> io::Result<u64> {
//!     let mut buffer = [0; 2048];
//!     let mut lines = 0;
//!     loop {
//!         #[blocking]
//!         let (length, _sender) = socket.recv_from(&mut buffer)?;
//!         log.write_all(&buffer[..length])?;
//!         lines += 1;
//!     }
//!     log.sync_all()?; // reached when the thread is stopped
//!     Ok(lines)
//! }
//!
//! let path = std::env::temp_dir().join(format!("lines-{}", std::process::id()));
//! let log = File::create(&path)?;
//! let socket = UdpSocket::bind("127.0.0.1:0")?;
//! let collector = thread::spawn(move || collect(socket, log));
//! // … later, from any thread:
//! collector.request_stop(); // returns at once
//! let lines = collector.join().unwrap()?;
//! # assert_eq!(lines, 0);
//! # std::fs::remove_file(path)?;
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Words
//!
//! A *marked call* is a blocking call under `#[blocking]` (or in `blocking!(…)`) in a function
//! that is `#[stoppable]`. The attribute replaces it by its *variant*, which has the same name
//! with `_or_stop` at the end. Such a call is *stop-checked*: a request to stop ends it. What is
//! requested to stop is a *scope*: a thread, or a part of its work (see [`Stopper`] and
//! [`within`]).
//!
//! # What is promised
//!
//! - **Prompt.** A request made at any instant ends the marked call that the thread is in or
//!   is about to enter. Nothing polls, and nothing wakes up.
//! - **Nothing lost.** A call that took effect returns its result, and the next one sees the
//!   stop. A call that reports [`Stopped`] had no effect.
//!   (One exception is the kernel's: see [`LockOrStop`](ext::LockOrStop).)
//! - **Nothing else disturbed.** Code that is not marked sees no `EINTR` (where
//!   the kernel has `membarrier(2)`).
//! - **Ordinary control flow.** A stop is a `break` or a `return`.
//! - **Level-triggered.** The request stays until its scope is left; a thread's own, until
//!   the thread ends.
//!
//! # How
//!
//! A marked call is one system call instruction, inlined into the caller, and directly
//! before it a test of the thread's flag. The instructions from the test to the system call
//! are the *window*. A request sets the flag and, if the thread is inside a marked call, sends
//! it a signal. If the signal, or a preemption, comes between the test and the system call,
//! the kernel (restartable sequences) or the signal handler moves the thread back before the
//! test. A sleep, a lock or a join waits on the flag itself and is woken without a signal.
//! See [`Backend`] for the three ways in which this is done.
//!
//! # The signal
//!
//! The runtime takes one signal for the process, `SIGURG` unless
//! [`Config::signal`] says otherwise, and installs its handler with the first
//! marked call, [`Stopper::current`] or [`thread::spawn`]. A handler that was
//! there before is called for signals that are not requests, and a default action
//! that ends the process ends it ([`Config::signal`]). Do not block that signal in a thread
//! after its first marked call, do not replace the handler, and make no marked call in a
//! signal handler. [`Stopper::request_stop`] may be called there.
//!
//! Only the installation asks the dynamic loader; no thread does so later. Call
//! [`Config::install`] or [`backend`](crate::backend()) first in a program that
//! loads libraries whose constructors wait for a marked call: dlopen(3) holds the
//! loader's lock while they run. Where the runtime is itself in a library that
//! was opened, libc takes a lock of the loader's as a thread first touches that
//! library's thread-locals, the runtime's or others.
//!
//! A thread's first marked call allocates. A global allocator may make marked
//! calls; until the thread is registered they are plain ones.
//!
//! # Libraries that are loaded before libc
//!
//! A marked call enters the kernel directly. A library that `LD_PRELOAD` puts
//! before libc to replace its functions (a proxy's `connect`, another time's
//! `clock_gettime`) does not see it. The call's deadline is computed from the
//! kernel's clock, which it also waits by.
//!
//! # Features
//!
//! - `macros` (on by default): the attribute.
//! - `backtrace`: [reports](report) say where in the source a thread waits.
//! - `crossbeam-channel`: stop-checked `recv` and `send` of that crate, and a
//!   stop channel for its `select!`.
//! - `log`, `tracing`: a stop that was requested, by which thread and why, and each thread
//!   that it has stopped; a scope that was out of time; a region of foreign code left after a
//!   stop; an overdue thread ([`Stopper::on_overdue`]). The target is `stopruntime`.
//! - `enough`: [`Stopper`] and [`Checkpoint`] for code that takes an `enough::Stop`.
//! - `io-uring`: stop-checked `submit_and_wait` and `submit_with_args` of that
//!   crate.
//!
//! # Types of other crates
//!
//! [`sys`] takes the types of `libc`. With their features, [`ext`] has traits for types of
//! `crossbeam_channel` and `io_uring`, and [`Stopper`] is an `enough::Stop`. An incompatible
//! version of one of these crates makes one of this crate. Types of no other crate are part of
//! the interface.
//!
//! # How do I …
//!
//! See the `guide` module of this documentation, or `docs/guide.md` in the repository.
//!
//! # Without the attribute
//!
//! Every marked call is a method of [`ext`] or a function of [`sys`]:
//! `f_or_stop(args)` returns `Result<what f(args) returns, Stopped>`.

#![deny(unsafe_code)]
// docs.rs builds with nightly, and says at each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
// System call arguments are registers: the conversions are the point.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
// The window has to stand in the caller's loop: on CPUs with return-speculation
// mitigations the first `ret` after a system call costs more than all of this
// crate. Measured in benches/calls.
#![allow(clippy::inline_always)]

#[cfg(not(target_os = "linux"))]
compile_error!("stopruntime is for Linux: it is built on rseq(2), futex(2) and tgkill(2)");

mod call;
#[cfg(feature = "crossbeam-channel")]
pub mod crossbeam;
mod event;
#[doc(hidden)]
pub mod expansion;
pub mod ext;
mod flag_wait;
mod foreign;
mod kernel;
mod ppoll;
pub mod report;
mod runtime;
mod scope;
pub mod shutdown;
pub mod sync;
pub mod sys;
pub mod thread;
mod uring;
mod window;

pub use ext::Stoppable;
pub use foreign::{FOREIGN_CALLS, ForeignSupport, foreign, foreign_reset, foreign_support};
pub use report::threads;
pub use runtime::backend::{Backend, Rseq};
pub use runtime::install::{Config, backend};
pub use runtime::install_error::InstallError;
pub use runtime::support::{Support, support};
#[cfg(feature = "__testing")]
#[doc(hidden)]
pub use runtime::testing;
#[cfg(feature = "enough")]
pub use scope::Checkpoint;
pub use scope::{
    CarriesStop, Cause, OnStop, Reason, StopOnDrop, Stopped, Stopper, TimedOut, check, deadline,
    is_stopped, request_stop_all, shield, stop_requested, until, within,
};
#[cfg(feature = "macros")]
pub use stopmacro::stoppable;

/// Answers "How do I …?", and has a program to copy for each common task. Links without a
/// name of this crate lead to files of the repository.
///
#[cfg(all(doc, not(doctest)))]
#[doc = include_str!("guide.md")]
pub mod guide {}

// The program in README.md, compiled with those of this documentation.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../README.md")]
struct Readme;
