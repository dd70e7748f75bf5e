//! The calls of files: opening, the disk, locks. Everything is held against
//! std's own call.

mod fifo;
mod locks;
mod plain;
