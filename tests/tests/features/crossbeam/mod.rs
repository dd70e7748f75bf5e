//! `crossbeam_channel` under requests: the marked calls, and the stop channel
//! for its `select!`.

mod calls;
mod helper;
mod marked;
mod random;
mod stop_channel;

use stop_tests::started::{requested, stopped_in};

/// Runs in a thread of the runtime's until it sleeps in a futex, where
/// crossbeam waits on every backend; then requests its stop.
fn stopped_while_it_waits<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    stopped_in(&[libc::SYS_futex], wait)
}
