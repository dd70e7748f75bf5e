//! A thread whose wait is watched from outside and whose end has a limit: a
//! test that fails says so instead of hanging.

use crate::proc::{asleep_in, rest};
use crate::{blocked_in, part_of, thread_id, wait_until_blocked_in};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use stopruntime::Stopper;
use stopruntime::thread::{self, JoinHandle};

/// Only a hang comes near it.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Far more looks than anything that does not really wait sleeps through; fewer
/// where a part is asked for, because each takes ten times as long there.
fn looks() -> u64 {
    part_of(200).max(40)
}

/// A thread that has been started.
pub struct Started<T> {
    handle: JoinHandle<T>,
    thread: i32,
}

/// Starts a thread that can be stopped.
pub fn start<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> Started<T> {
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        body()
    });
    Started { handle, thread: receiver.recv().unwrap() }
}

/// A thread that can be stopped, asleep in one of these system calls, and its id.
pub fn blocked<T: Send + 'static>(
    calls: &[libc::c_long],
    body: impl FnOnce() -> T + Send + 'static,
) -> (JoinHandle<T>, i32) {
    let Started { handle, thread } = start(body);
    wait_until_blocked_in(thread, calls);
    (handle, thread)
}

/// What a thread comes to that is stopped when it sleeps in one of these calls.
pub fn stopped_in<T: Send + 'static>(
    calls: &[libc::c_long],
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    blocked(calls, body).0.stop_and_join().expect("no panic in the thread")
}

/// What a thread comes to that has been requested to stop before.
pub fn requested<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let run = || {
        Stopper::current().request_stop();
        body()
    };
    thread::spawn(run).join().expect("no panic in the thread")
}

impl<T> Started<T> {
    /// Its id.
    pub fn thread(&self) -> i32 {
        self.thread
    }

    /// Waits until the thread sleeps in one of these system calls and goes on
    /// sleeping: it is not woken once between many looks at it. A thread that
    /// spins, or that calls again and again, never comes to that.
    pub fn wait_until_at_rest_in(&self, calls: &[libc::c_long]) {
        let deadline = Instant::now() + LIMIT;
        let mut before = rest(self.thread);
        let mut unchanged = 0;
        let looks = looks();
        while unchanged < looks {
            assert!(!self.handle.is_finished(), "the thread has ended instead of waiting");
            assert!(Instant::now() < deadline, "no rest in {calls:?}: {:?}", rest(self.thread));
            let asleep = asleep_in(self.thread).is_some_and(|call| calls.contains(&call));
            let now = rest(self.thread);
            unchanged = if asleep && now == before { unchanged + 1 } else { 0 };
            before = now;
            std::thread::yield_now();
        }
    }

    /// Waits until the thread sleeps in this system call, or has ended.
    pub fn wait_until_in(&self, call: libc::c_long) {
        let deadline = Instant::now() + LIMIT;
        while !self.handle.is_finished() && blocked_in(self.thread) != Some(call) {
            assert!(Instant::now() < deadline, "the thread does not sleep in call {call}");
            std::thread::yield_now();
        }
    }

    /// Makes the request without waiting for its effect.
    pub fn request_stop(&self) {
        assert!(self.handle.request_stop(), "the first request");
    }

    /// What the thread returns, which it does soon.
    pub fn ended(self) -> T {
        let Ok(result) = self.handle.join_timeout(LIMIT) else { panic!("the thread does not end") };
        result.expect("no panic in the thread")
    }

    /// What the thread returns once it is requested to stop.
    pub fn stopped(self) -> T {
        self.request_stop();
        self.ended()
    }
}
