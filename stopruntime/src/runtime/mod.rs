//! What every stop-checked call stands on: the record of a thread, the signal, and
//! the backend that the process has.

pub(crate) mod backend;
pub(crate) mod claim;
pub(crate) mod current;
pub(crate) mod futex;
pub(crate) mod process;
pub(crate) mod record;
pub(crate) mod signal;
pub(crate) mod support;
pub mod testing;
pub(crate) mod timeout;
