//! The calls of files: opening, the disk, locks. Everything is held against
//! std's own call.

mod directory;
mod fifo;
mod locks;
mod plain;
#[path = "../ppoll_edges/started.rs"]
mod started;
#[path = "../support_hazards/mod.rs"]
mod support_hazards;
