//! The kernel's interface where the libc crate does not have it, and what a
//! caller hands to it.

pub(crate) mod abi;
pub(crate) mod clock;
pub(crate) mod given;
pub(crate) mod plain;
pub(crate) mod refusal;
pub(crate) mod select;
