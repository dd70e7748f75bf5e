//! Every call that blocks, and what feeds, counts and ends it: those of std
//! ([`cases`]) and those of libc ([`sys`]). The tests go through them, and so does
//! `tour`.

pub mod cases;
pub mod emulated;
pub mod sys;
mod thread;

pub use thread::{blocked_in, thread_id};
