//! The calls of `ext` do what std's do, and lose nothing when they are stopped.

mod buffers;
mod children;
mod copy;
mod files;
mod standard_input;
mod standard_output;
mod std_names;
mod std_semantics;
