//! Waiting for the completions of an `io_uring`.

mod ext;
pub(crate) mod mask;
#[cfg(feature = "io-uring")]
mod submitter;

pub use ext::{SubmitAndWaitOrStop, SubmitWithArgsOrStop};
