//! The runtime's optional features.

mod crossbeam;
mod io_uring;
