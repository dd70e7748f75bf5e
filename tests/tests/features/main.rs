//! The runtime's optional features.

mod crossbeam;
mod events;
mod io_uring;
