//! [`std::io`], stop-checked.

mod buffered;
mod bufread;
mod chain;
mod copy;
mod fill_buf;
mod lock_before;
mod memory;
mod read;
mod std_streams;
mod stdin;
mod stoppable;
mod write;

pub use bufread::{BufReadOrStop, BytesOrStop};
pub use copy::{CopyFromOrStop, CopyToOrStop, copy_or_stop};
pub use fill_buf::FillBufOrStop;
pub use lock_before::LockBefore;
pub use read::ReadOrStop;
pub use stdin::{StdinGuard, StdinOrStop};
pub use stoppable::Stoppable;
pub use write::WriteOrStop;

pub(crate) use bufread::{Bytes, Lines, Split};
