//! [`std::process`], stop-checked.

mod attended;
mod child;
mod command;
mod group;
mod output;
mod set_streams;

pub use child::WaitOrStop;
pub use command::{OutputOrStop, StatusOrStop};
pub use group::{GroupChild, GroupCommand, KillGroup};
pub use output::{ReadOutputOrStop, WaitWithOutputOrStop};
