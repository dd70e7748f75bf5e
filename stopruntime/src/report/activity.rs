//! What a thread does.

use super::waits_for::WaitsFor;
use core::ffi::c_long;

/// Says what a thread does.
///
/// # Examples
///
/// As at [`WaitsFor`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activity {
    /// It has been asked for, and has not begun.
    NotBegun,
    /// It has ended, or is about to end and makes no marked call any more.
    Ended,
    /// It runs, or goes from call to call.
    Runs,
    /// It is the thread that makes the report.
    Reports,
    /// It waits in a system call.
    Waits(Wait),
    /// It waits for memory or for the kernel, and not in a system call.
    WaitsOutside,
    /// `SIGSTOP`, the terminal or a control group holds it. signal(7).
    Frozen,
    /// A debugger holds it. ptrace(2).
    Traced,
    /// It could not be looked at, for this reason.
    Unknown(String),
}

/// Says in which system call a thread waits.
///
/// # Examples
///
/// As at [`WaitsFor`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Wait {
    /// The call's number on this architecture.
    pub number: c_long,
    /// The call's name, if it is known.
    pub name: Option<&'static str>,
    /// Whether it is a marked call.
    pub marked: bool,
    /// Whether it is in a [region of foreign code](crate::foreign()), which ends it.
    pub foreign: bool,
    /// What it waits for, where that can be seen.
    pub on: Option<WaitsFor>,
    /// Where in the source it waits: the innermost function of the program's own,
    /// `collector::serve (src/serve.rs:42)`; if none is found, of a crate that it depends on.
    /// With the feature `backtrace` only, and most likely: it is found by what looks like
    /// return addresses on the thread's stack.
    pub place: Option<String>,
    /// Whether no signal ends the wait: the state that ps(1) shows as `D`.
    pub uninterruptible: bool,
}
