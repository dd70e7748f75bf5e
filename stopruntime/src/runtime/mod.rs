//! What every stop-checked call stands on: the record of a thread, the signal, and
//! the backend that the process has. Each file uses only what stands before it.

pub(crate) mod backend;
pub(crate) mod installed;

pub(crate) mod claim;
pub(crate) mod futex;
pub(crate) mod process;
pub(crate) mod spoil;

mod siginfo;
pub(crate) mod signal;

pub(crate) mod record;
pub(crate) mod scopes;

mod copies;
mod earlier;
mod handler;
mod image;

mod action;
pub(crate) mod install;
mod probe;

pub(crate) mod current;
pub(crate) mod support;
#[cfg(feature = "__testing")]
pub mod testing;
