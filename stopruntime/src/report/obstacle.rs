//! What keeps a thread from stopping, or would.

use core::fmt;

/// Says what keeps a thread from stopping, or would keep it if a stop were requested.
///
/// Before a request are known: [`NotMarked`](Obstacle::NotMarked),
/// [`Shielded`](Obstacle::Shielded), [`SignalBlocked`](Obstacle::SignalBlocked),
/// [`HandlerReplaced`](Obstacle::HandlerReplaced) and
/// [`Uninterruptible`](Obstacle::Uninterruptible). The others say what a thread did after it.
///
/// # Examples
///
/// As at [`ThreadReport`](super::ThreadReport).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obstacle {
    /// It waits in a system call that is not marked. Mark it (`#[blocking]`), or put it in a
    /// region (`#[blocking(foreign)]`).
    NotMarked,
    /// It joins another thread, plainly, and goes on when that one has ended: see what keeps
    /// that one. If it should stop before, mark the join.
    Joins,
    /// It runs code that has neither a marked call nor a checkpoint. A loop that computes
    /// takes a `#[checkpoint]`.
    NoCheckpoint,
    /// It is in a [shield](crate::shield()), which holds the request until it ends.
    Shielded,
    /// It is in a region of [foreign code](crate::foreign()), whose calls a stop makes fail:
    /// the code goes on until it gives up.
    Foreign,
    /// It has been stopped more than a thousand times and goes on: a caller takes the stop for
    /// an ordinary error and calls again. Known in debug builds.
    Swallowed,
    /// It keeps the stop signal blocked.
    SignalBlocked,
    /// Another handler has taken the place of the runtime's.
    HandlerReplaced,
    /// `SIGSTOP`, the terminal or a control group holds it. It stops when it goes on.
    Frozen,
    /// A debugger holds it.
    Traced,
    /// No signal ends its wait, which is the kernel's: for a disk or a file system, usually.
    Uninterruptible,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Obstacle::NotMarked => "its call is not marked",
            Obstacle::Joins => "it goes on when that thread has ended",
            Obstacle::NoCheckpoint => "it runs without a marked call or a checkpoint",
            Obstacle::Shielded => "it is in a shield",
            Obstacle::Foreign => {
                "it is in a region of foreign code, which goes on until it gives up"
            }
            Obstacle::Swallowed => {
                "it has been stopped a thousand times and goes on: a caller takes the stop for an \
                 ordinary error"
            }
            Obstacle::SignalBlocked => "it blocks the stop signal",
            Obstacle::HandlerReplaced => "the handler of the stop signal has been replaced",
            Obstacle::Frozen => "it stops when it is continued (SIGCONT)",
            Obstacle::Traced => "it stops when the debugger lets it go on",
            Obstacle::Uninterruptible => "no signal ends its wait",
        })
    }
}
