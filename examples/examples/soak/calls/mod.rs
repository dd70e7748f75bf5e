//! The calls that are soaked, one file for each family.
//!
//! Each arranges what its call needs, then, while the bout goes on, starts
//! threads that make the call, feeds them, stops them, and balances what went
//! in against what came out and what is still there.

mod connections;
mod datagrams;
mod files;
mod foreign;
mod locks;
mod processes;
mod scopes;
mod streams;
mod waits;

use crate::bout::Bout;
use std::io;
use stopruntime::Backend;

/// A call by the name that the table shows.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// False where [`Backend::Ppoll`] refuses it with `ENOTSUP`.
    on_ppoll: bool,
    /// Unmarked, in regions of foreign code.
    pub(crate) is_foreign: bool,
    /// False where a region that is ended by timer does not end it.
    by_timer: bool,
    /// Fails if the call cannot be arranged.
    pub(crate) run: fn(&mut Bout) -> io::Result<()>,
}

impl Call {
    const fn new(name: &'static str, run: fn(&mut Bout) -> io::Result<()>) -> Call {
        Call { name, on_ppoll: true, is_foreign: false, by_timer: true, run }
    }

    const fn foreign(name: &'static str, run: fn(&mut Bout) -> io::Result<()>) -> Call {
        Call { is_foreign: true, ..Call::new(name, run) }
    }

    const fn not_by_timer(self) -> Call {
        Call { by_timer: false, ..self }
    }

    const fn not_on_ppoll(self) -> Call {
        Call { on_ppoll: false, ..self }
    }

    pub(crate) fn is_on(&self, backend: Backend) -> bool {
        self.on_ppoll || backend != Backend::Ppoll
    }

    /// Whether it is one of the calls that are soaked in this way: none, marked.
    pub(crate) fn is_soaked(&self, foreign: Option<Way>) -> bool {
        self.is_foreign == foreign.is_some() && (self.by_timer || foreign != Some(Way::Timer))
    }
}

/// How a region of foreign code is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As the runtime chooses.
    Chosen,
    Timer,
}

pub(crate) const CALLS: &[&[Call]] = &[
    streams::CALLS,
    datagrams::CALLS,
    connections::CALLS,
    files::CALLS,
    waits::CALLS,
    locks::CALLS,
    processes::CALLS,
    scopes::CALLS,
    foreign::CALLS,
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Call> {
    CALLS.iter().copied().flatten()
}
