//! What every stop-checked call stands on: the record of a thread, the signal, and
//! the backend that the process has.
//!
//! From the bottom to the top: what is [installed]; words and waits ([futex], [claim],
//! [process], [spoil]); the [signal]; the [record] of a thread, and the [slot] in which
//! a thread finds its own; the [scopes] that it runs under; the [handler]; how it all
//! is [installed](install), a thread [attached](attach) and [detached](detach); and what
//! it comes to on this machine ([support]). No file uses, by way of others, one that
//! uses it.

pub(crate) mod backend;
pub(crate) mod installed;

pub(crate) mod futex;

pub(crate) mod claim;
pub(crate) mod process;
pub(crate) mod region;
pub(crate) mod spoil;

pub(crate) mod known;

mod siginfo;

pub(crate) mod signal;

pub(crate) mod on_flag;

mod end_call;
pub(crate) mod record;

mod forked;
pub(crate) mod records;

pub(crate) mod slot;

pub(crate) mod scopes;

mod park;

mod copies;
pub(crate) mod earlier;
mod image;

mod handler;

pub(crate) mod action;

mod detach;
mod probe;

pub(crate) mod install_error;

pub(crate) mod install;

pub(crate) mod attach;

pub(crate) mod support;
#[cfg(feature = "__testing")]
pub mod testing;
