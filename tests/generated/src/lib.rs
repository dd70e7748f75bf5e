//! Functions with marks in every position, written by proptest: nested loops
//! and labels, conditions, matches, closures, early returns.
//!
//! Each can be printed with its attributes and without; without a stop both
//! have to do the same. What they do is recorded in a log. Every loop burns a
//! common fuel, so that each program ends.

mod print;
mod statement;

pub use print::{Dialect, function};
pub use statement::{Block, Statement, block};
