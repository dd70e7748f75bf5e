//! `crossbeam_channel` under requests: the marked calls, and the stop channel
//! for its `select!`.

mod calls;
mod helper;
mod marked;
mod random;
mod stop_channel;

use std::sync::mpsc;
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::{Stopper, thread};

/// Runs in a thread of the runtime's until it sleeps in a futex, where
/// crossbeam waits on every backend; then requests its stop.
fn stopped_while_it_waits<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        wait()
    });
    wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_futex]);
    waiter.stop_and_join().unwrap()
}

/// Runs in a thread that has been requested to stop before.
fn requested<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        Stopper::current().request_stop();
        body()
    });
    thread.join().unwrap()
}
