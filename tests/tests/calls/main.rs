//! Every call that can be stopped, in every phase: std's (`matrix`), libc's (`sys`).

mod bad_arguments;
mod matrix;
mod sys;
