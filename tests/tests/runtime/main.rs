//! The runtime as it is installed, and threads as they come and go.

mod audit;
mod config;
mod environment;
mod first;
mod forked;
mod group;
mod interface;
mod lifecycle;
mod lifecycle_held;
mod old_kernels;
mod registration;
mod report;
mod reused_records;
mod scopes;
mod shutdown;
mod support;
mod thread_keys;
