//! The three phases of a thing with a descriptor.

use std::any::Any;
use std::sync::{Arc, mpsc};
use stop_tests::started::{LIMIT, Started, start};
use stop_tests::wait_until_blocked_in;

/// A thing whose event has not come yet.
pub(crate) struct Subject<T> {
    pub(crate) thing: Arc<T>,
    /// What its thread does first.
    pub(crate) prepare: fn(),
    /// The user's function: `None` where it was stopped.
    pub(crate) marked: fn(&T) -> Option<String>,
    /// The same call without a mark.
    pub(crate) plain: fn(&T) -> String,
    /// Makes the event happen; told the thread.
    pub(crate) feed: Box<dyn FnOnce(i32)>,
    /// What the call says of it.
    pub(crate) expected: &'static str,
    /// What stays open until the phase is over, such as the other end.
    pub(crate) _keep: Box<dyn Any>,
}

impl<T: Send + Sync + 'static> Subject<T> {
    pub(crate) fn new(
        thing: T,
        marked: fn(&T) -> Option<String>,
        plain: fn(&T) -> String,
        expected: &'static str,
        feed: impl FnOnce(&T, i32) + 'static,
    ) -> Subject<T> {
        let thing = Arc::new(thing);
        let same = Arc::clone(&thing);
        let feed = Box::new(move |thread| feed(&same, thread));
        Subject { thing, prepare: || (), marked, plain, feed, expected, _keep: Box::new(()) }
    }

    pub(crate) fn keeping(self, keep: impl Any) -> Subject<T> {
        Subject { _keep: Box::new(keep), ..self }
    }

    pub(crate) fn preparing(self, prepare: fn()) -> Subject<T> {
        Subject { prepare, ..self }
    }

    /// A thread that is ready to make calls.
    fn start<R: Send + 'static>(&self, body: impl FnOnce(&T) -> R + Send + 'static) -> Started<R> {
        let (sender, receiver) = mpsc::channel();
        let (thing, prepare) = (Arc::clone(&self.thing), self.prepare);
        let thread = start(move || {
            prepare();
            sender.send(()).unwrap();
            body(&thing)
        });
        receiver.recv().unwrap();
        thread
    }
}

/// All three, each with a thing of its own.
pub(crate) fn phases<T: Send + Sync + 'static>(arrange: impl Fn() -> Subject<T>) {
    before(arrange());
    during(arrange());
    after(arrange());
}

fn until_requested() {
    while !stopruntime::stop_requested() {
        std::thread::yield_now();
    }
}

/// Its event is there, and so is the request.
fn before<T: Send + Sync + 'static>(subject: Subject<T>) {
    let (marked, plain) = (subject.marked, subject.plain);
    let thread = subject.start(move |thing| {
        until_requested();
        (marked(thing), plain(thing))
    });
    (subject.feed)(thread.thread());
    assert_eq!(thread.stopped(), (None, subject.expected.to_owned()), "requested before");
}

/// The event comes when the thread has been stopped: its clean-up has it.
fn during<T: Send + Sync + 'static>(subject: Subject<T>) {
    let (marked, plain) = (subject.marked, subject.plain);
    let (stopped, is_stopped) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let thread = subject.start(move |thing| {
        stopped.send(marked(thing)).unwrap();
        may_go.recv().unwrap();
        plain(thing)
    });
    wait_until_blocked_in(thread.thread(), &[libc::SYS_ppoll]);
    thread.request_stop();
    assert_eq!(is_stopped.recv_timeout(LIMIT), Ok(None), "requested while it waits");
    (subject.feed)(thread.thread());
    go.send(()).unwrap();
    assert_eq!(thread.ended(), subject.expected, "after the stop");
}

/// The event ends the wait; the request comes after it and ends the next.
fn after<T: Send + Sync + 'static>(subject: Subject<T>) {
    let marked = subject.marked;
    let (got, is_got) = mpsc::channel();
    let thread = subject.start(move |thing| {
        got.send(marked(thing)).unwrap();
        until_requested();
        marked(thing)
    });
    wait_until_blocked_in(thread.thread(), &[libc::SYS_ppoll]);
    (subject.feed)(thread.thread());
    let result = is_got.recv_timeout(LIMIT);
    assert_eq!(result, Ok(Some(subject.expected.to_owned())), "the result is kept");
    assert_eq!(thread.stopped(), None, "the next call");
}

/// What was read, as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
