//! What is known of one call.

use super::{Fixture, Progress};
use crate::sys::Arranged;
use core::ffi::c_long;
use std::io;
use stopruntime::Backend;

/// Where a call waits.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// In one of these system calls.
    In(&'static [c_long]),
    /// In a futex, as a test's own threads do at their start.
    Futex,
    /// In any other system call.
    NoFutex,
    /// The backend refuses it with `ENOTSUP` instead of waiting unstoppably.
    Refused,
}

impl Place {
    /// Whether a thread that sleeps in this system call is there.
    #[must_use]
    pub fn has(self, call: c_long) -> bool {
        let is_futex = [libc::SYS_futex, libc::SYS_futex_waitv].contains(&call);
        match self {
            Place::In(calls) => calls.contains(&call),
            Place::Futex => is_futex,
            Place::NoFutex => !is_futex,
            Place::Refused => false,
        }
    }

    pub(super) const fn of(calls: &'static [c_long]) -> Place {
        if calls.is_empty() { Place::Refused } else { Place::In(calls) }
    }
}

/// How a fixture comes about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrange {
    Std(fn() -> io::Result<Fixture>),
    Raw(fn() -> Arranged),
}

/// One covered call.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a row of independent facts")]
pub struct Case {
    /// As a user knows it.
    pub name: &'static str,
    /// Where it waits if calls go through windows.
    pub(crate) windows: Place,
    /// The same for the backend without windows.
    pub(crate) ppoll: Place,
    /// What it reports when it is stopped while it waits.
    pub progress: Progress,
    /// Whether `feed` ends a call that waits already. A sleep is only given its
    /// length.
    pub feed_wakes: bool,
    /// Whether the bytes can be counted when a signal comes in the middle. A
    /// pseudoterminal loses some of a plain write(2) that is interrupted, with
    /// no help (seen on Linux 6.18).
    pub counts_under_signals: bool,
    /// Whether the backend without windows refuses it also where it would not
    /// have to wait.
    pub(crate) never_on_ppoll: bool,
    /// Whether it reports what has happened already although a stop is requested:
    /// a value that is there, a condition that holds.
    pub goes_before_a_stop: bool,
    /// Whether it waits for no other thread, or nothing makes it wait on this machine.
    pub ends_by_itself: bool,
    /// Whether what it waits for is lost unless it waits already: a signal that is
    /// not blocked.
    pub for_the_moment: bool,
    /// Of a call of libc: the functions that have no variant, in whose place it is
    /// used.
    pub stands_for: &'static [&'static str],
    /// Of a call of libc: its result.
    pub(crate) gives: i64,
    /// Of a call of libc: the error with which its event ends it, such as `EINTR` for
    /// `pause`; or the one for who may not make it.
    pub(crate) fails_with: Option<i32>,
    pub(crate) arrange: Arrange,
}

impl Case {
    /// A case that waits in one of these on all backends.
    pub(super) const fn new(
        name: &'static str,
        windows: &'static [c_long],
        arrange: fn() -> io::Result<Fixture>,
    ) -> Case {
        let place = Place::of(windows);
        Case::made(name, place, place, Arrange::Std(arrange))
    }

    pub(crate) const fn made(
        name: &'static str,
        windows: Place,
        ppoll: Place,
        arrange: Arrange,
    ) -> Case {
        Case {
            name,
            windows,
            ppoll,
            progress: Progress::Exactly(0),
            feed_wakes: true,
            counts_under_signals: true,
            never_on_ppoll: false,
            goes_before_a_stop: false,
            ends_by_itself: false,
            for_the_moment: false,
            stands_for: &[],
            gives: 0,
            fails_with: None,
            arrange,
        }
    }

    pub(super) const fn on_ppoll(self, ppoll: &'static [c_long]) -> Case {
        Case { ppoll: Place::of(ppoll), ..self }
    }

    pub(super) const fn with_progress(self, progress: Progress) -> Case {
        Case { progress, ..self }
    }

    pub(crate) const fn before_a_stop(self) -> Case {
        Case { goes_before_a_stop: true, ..self }
    }

    pub(super) const fn not_woken(self) -> Case {
        Case { feed_wakes: false, ..self }
    }

    pub(super) const fn not_counted_under_signals(self) -> Case {
        Case { counts_under_signals: false, ..self }
    }

    /// The same, refused on a backend without windows where it would have to wait, or
    /// always.
    #[must_use]
    pub const fn refused_on_ppoll(self, always: bool) -> Case {
        Case { ppoll: Place::Refused, never_on_ppoll: always, ..self }
    }

    pub(crate) const fn in_futex(self) -> Case {
        Case { windows: Place::Futex, ppoll: Place::Futex, ..self }
    }

    /// Where it waits on this backend.
    #[must_use]
    pub fn waits_in(&self, backend: Backend) -> Place {
        if backend == Backend::Ppoll { self.ppoll } else { self.windows }
    }

    /// Whether this backend refuses it with `ENOTSUP` where it would have to wait.
    #[must_use]
    pub fn is_refused(&self, backend: Backend) -> bool {
        matches!(self.waits_in(backend), Place::Refused)
    }

    /// Whether this backend refuses it also where it would not have to wait.
    #[must_use]
    pub fn is_always_refused(&self, backend: Backend) -> bool {
        self.never_on_ppoll && backend == Backend::Ppoll
    }

    /// Whether it is a call of libc, made as libc has it.
    #[must_use]
    pub fn is_of_libc(&self) -> bool {
        matches!(self.arrange, Arrange::Raw(_))
    }

    /// Whether it fails at once for who may not make it.
    #[must_use]
    pub fn takes_a_right(&self) -> bool {
        self.fails_with == Some(libc::EPERM)
    }

    /// Arranges it.
    ///
    /// # Errors
    ///
    /// What the system refuses.
    pub fn arrange(&self) -> io::Result<Fixture> {
        match self.arrange {
            Arrange::Std(arrange) => arrange(),
            Arrange::Raw(arrange) => Ok(arrange().fixture(self)),
        }
    }
}
