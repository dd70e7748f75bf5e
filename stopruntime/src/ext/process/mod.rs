//! [`std::process`], stop-checked.

mod child;
mod command;
mod output;
mod set_streams;

pub use child::WaitOrStop;
pub use command::{OutputOrStop, StatusOrStop};
pub use output::{ReadOutputOrStop, WaitWithOutputOrStop};
