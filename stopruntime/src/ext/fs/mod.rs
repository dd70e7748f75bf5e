//! [`std::fs`], stop-checked.

mod file;
mod open;

pub use file::{FileOrStop, LockOrStop};
pub use open::OpenOrStop;
