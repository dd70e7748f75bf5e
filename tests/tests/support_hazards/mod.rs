//! What the tests of the hazards share. Each test file uses its share of it.
#![allow(dead_code)]

pub(crate) mod copies;
pub(crate) mod cores;
pub(crate) mod dice;
// Single steps, by x86-64's registers.
#[cfg(target_arch = "x86_64")]
pub(crate) mod marked_read;
pub(crate) mod proc;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ptrace;
pub(crate) mod rseq;
pub(crate) mod signals;
pub(crate) mod timers;
pub(crate) mod tracee;
