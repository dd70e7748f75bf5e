//! `#[blocking(readable)]`, `#[blocking(writable)]` and `#[blocking(readable =
//! EXPR)]` on what the runtime has never heard of: types of other crates, and
//! newtypes as a user would write them. Each is requested before the call,
//! while it provably waits, and after its event; what a stopped thread did not
//! take is there for its clean-up.

// Results and arguments of system calls.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod child;
mod device;
mod fifo;
mod loops;
mod numbers;
mod phases;
mod serial;
mod wires;
