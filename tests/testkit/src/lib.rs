//! Every call that blocks, and what feeds, counts and ends it: those of std
//! ([`cases`]) and those of libc ([`sys`]). The matrix goes through all of them, and
//! `tour` through those of std.
//!
//! `soak` and the benches arrange theirs themselves: an end of the one outlives
//! thousands of stops of many threads, and a call of the other is inlined into the loop
//! that is measured.

pub mod cases;
mod directory;
pub mod emulated;
pub mod sys;
mod thread;

pub use directory::Directory;
pub use thread::{blocked_in, thread_id};
