//! Threads that can be stopped while they block.

#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("stopruntime is for Linux: it is built on rseq(2), futex(2) and tgkill(2)");

mod backend;
mod call;
mod current;
pub mod ext;
mod futex;
mod ppoll;
#[doc(hidden)]
pub mod private;
mod record;
mod signal;
mod stop;
pub mod sys;
#[doc(hidden)]
pub mod testing;
pub mod thread;
mod window;

pub use backend::{Backend, Config, InstallError, backend};
pub use ext::Stoppable;
pub use stop::{CarriesStop, Shield, Stopped, Stopper, check, is_stopped, shield, stop_requested};
#[cfg(feature = "macros")]
pub use stopmacro::stoppable;
