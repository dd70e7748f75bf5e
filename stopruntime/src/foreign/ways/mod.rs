//! Both ways of ending the calls of foreign code, and the table of what they give.

mod arm;
mod at_once;
pub(super) mod dispatch;
mod epoll;
#[cfg(target_arch = "x86_64")]
mod guess;
mod kernel;
mod look;
mod readiness;
mod refusal;
mod registers;
mod rules;
mod table;
mod tick;
mod verdict;

pub(crate) use arm::{after_fork, end, hold, is_tick, on_signal, raise, resume};
pub(super) use arm::{arm_here, disarm};
pub use table::FOREIGN_CALLS;
