//! The calls of `stopruntime::sys`: each arranged so that it waits, with what makes it
//! go on. A stopped call had no effect: made again by a thread that is not stopped, it
//! has the result that it would have had.

#![allow(unsafe_code)]
// Results and arguments of system calls.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

/// A closure that makes calls of `sys`.
macro_rules! made {
    (|| $call:expr) => {
        || {
            // SAFETY: as below.
            unsafe { $call }
        }
    };
    (|$($argument:pat_param),*| $call:expr) => {
        |$($argument),*| {
            // SAFETY: what the call points to outlives it and has the length
            // that is given.
            unsafe { $call }
        }
    };
}

mod children;
mod copies;
mod files;
mod futexes;
mod ipc;
mod locks;
mod readiness;
mod requests;
mod rings;
mod signals;
mod sockets;
mod streams;
mod times;
mod waits;

use crate::cases::{Arrange, Case, Fixture, Outcome, Place, Shared};
use crate::{blocked_in, thread_id};
use std::any::Any;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use stopruntime::Stopped;

pub use signals::with_full_masks;
pub use sockets::full_listener;

/// The call, as libc returns. Made again after a stop.
type Call = Box<dyn FnMut() -> Result<i64, Stopped> + Send>;

/// A call that would wait, and what makes it go on.
pub(crate) struct Arranged {
    call: Call,
    feed: Box<dyn FnOnce() + Send>,
    /// What has to stay until the phase is over, such as the other end.
    keep: Box<dyn Any + Send>,
}

/// Those of the table in the documentation of `sys`, by the names that it has.
#[must_use]
pub fn cases() -> Vec<Case> {
    [
        streams::cases(),
        sockets::cases(),
        copies::cases(),
        files::cases(),
        locks::cases(),
        readiness::cases(),
        signals::cases(),
        times::cases(),
        children::cases(),
        ipc::cases(),
        requests::cases(),
        rings::cases(),
        futexes::cases(),
        waits::cases(),
    ]
    .concat()
}

fn case(name: &'static str, arrange: fn() -> Arranged) -> Case {
    let case = Case::made(name, Place::NoFutex, Place::NoFutex, Arrange::Raw(arrange));
    // Some feeds only set what the next call finds.
    Case { feed_wakes: false, ..case }
}

impl Case {
    fn stands_for(self, stands_for: &'static [&'static str]) -> Case {
        Case { stands_for, ..self }
    }

    fn gives(self, gives: i64) -> Case {
        Case { gives, ..self }
    }

    fn ends_by_itself(self) -> Case {
        Case { ends_by_itself: true, ..self }
    }

    fn waits_for_the_moment(self) -> Case {
        Case { for_the_moment: true, ..self }
    }

    fn fails_with(self, errno: i32) -> Case {
        Case { fails_with: Some(errno), ..self }
    }

    /// What a result of this call comes to; right if its event gives it.
    fn outcome(&self, result: Result<i64, Stopped>) -> Outcome {
        let error = io::Error::last_os_error();
        match (result, error.raw_os_error()) {
            (Ok(-1), errno) if errno == self.fails_with => Outcome::Completed(RIGHT.into()),
            (Ok(-1), _) => Outcome::Failed(error),
            (Ok(result), _) if result == self.gives => Outcome::Completed(RIGHT.into()),
            (Ok(result), _) => Outcome::Completed(format!("{result}, not {}", self.gives)),
            (Err(stopped), _) => Outcome::of::<()>(Err(stopped), |()| unreachable!()),
        }
    }
}

/// What a call reports that came to what its event gives.
const RIGHT: &str = "right";

fn arranged(
    call: impl FnMut() -> Result<i64, Stopped> + Send + 'static,
    feed: impl FnOnce() + Send + 'static,
) -> Arranged {
    Arranged { call: Box::new(call), feed: Box::new(feed), keep: Box::new(()) }
}

impl Arranged {
    fn keeping(self, keep: impl Any + Send) -> Arranged {
        Arranged { keep: Box::new(keep), ..self }
    }

    /// The marked call is also made after a stop, in a thread that is not stopped.
    pub(crate) fn fixture(self, case: &Case) -> Fixture {
        let (case, Arranged { call, feed, keep }) = (*case, self);
        let call = Shared::new(call);
        let again = call.clone();
        let thread = Arc::new(AtomicI32::new(0));
        let waits = Arc::clone(&thread);
        // What is fed for a moment has to meet the call in it.
        let feed = Shared::new(Some(feed));
        let late = feed.clone();
        Fixture {
            marked: Box::new(move || {
                thread.store(thread_id(), Ordering::SeqCst);
                let result = (call.lock())();
                case.outcome(result)
            }),
            feed: Box::new(move || {
                if !case.for_the_moment || blocked_in(waits.load(Ordering::SeqCst)).is_some() {
                    feed.lock().take().expect("fed once")();
                }
                Ok(RIGHT.into())
            }),
            plain: Box::new(move |_| {
                let Some(feed) = late.lock().take() else {
                    // What came for the moment is gone with it.
                    return if case.for_the_moment {
                        Ok(RIGHT.into())
                    } else {
                        made_again(case, &again)
                    };
                };
                let (tell, told) = std::sync::mpsc::channel();
                let waits = std::thread::spawn(move || {
                    tell.send(thread_id()).expect("the starter waits for it");
                    made_again(case, &again)
                });
                let thread = told.recv().map_err(io::Error::other)?;
                while blocked_in(thread).is_none() && !waits.is_finished() {
                    std::thread::yield_now();
                }
                feed();
                waits.join().expect("the call does not panic")
            }),
            verify: Box::new(|_| Ok(())),
            keep,
        }
    }
}

fn made_again(case: Case, call: &Shared<Call>) -> io::Result<String> {
    let result = (call.lock())();
    match case.outcome(result) {
        Outcome::Completed(text) => Ok(text),
        Outcome::Failed(error) if error.raw_os_error() == Some(libc::ENOTSUP) => Ok(RIGHT.into()),
        Outcome::Failed(error) => Err(error),
        Outcome::Stopped(_) => Err(io::Error::other("stopped although nothing is requested")),
    }
}

/// One width for all results.
pub(crate) trait FromWord<T> {
    fn from_word(word: T) -> Self;
}

impl FromWord<i32> for i64 {
    fn from_word(word: i32) -> i64 {
        word.into()
    }
}

impl FromWord<i64> for i64 {
    fn from_word(word: i64) -> i64 {
        word
    }
}

impl FromWord<isize> for i64 {
    fn from_word(word: isize) -> i64 {
        word as i64
    }
}

/// Takes a result of libc that is a new descriptor, and closes it.
pub(crate) fn close(result: i32) -> i64 {
    if result >= 0 {
        // SAFETY: made just now, and owned by no other code.
        drop(unsafe { OwnedFd::from_raw_fd(result) });
    }
    result.min(0).into()
}

/// Both ends of a pipe.
pub(crate) fn pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader.into(), writer.into())
}

/// Fills a pipe or socket, so that the next write waits.
pub(crate) fn fill(descriptor: &OwnedFd) {
    set_nonblocking(descriptor, true);
    let block = [0_u8; 4096];
    // SAFETY: a readable block.
    while unsafe { libc::write(descriptor.as_raw_fd(), block.as_ptr().cast(), 4096) } > 0 {}
    set_nonblocking(descriptor, false);
}

/// Takes all that is there.
pub(crate) fn empty(descriptor: &OwnedFd) {
    set_nonblocking(descriptor, true);
    let mut block = [0_u8; 4096];
    // SAFETY: a writable block.
    while unsafe { libc::read(descriptor.as_raw_fd(), block.as_mut_ptr().cast(), 4096) } > 0 {}
    set_nonblocking(descriptor, false);
}

fn set_nonblocking(descriptor: &OwnedFd, on: bool) {
    let fd = descriptor.as_raw_fd();
    // SAFETY: operations on a descriptor that is open.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let flags = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        assert_eq!(libc::fcntl(fd, libc::F_SETFL, flags), 0);
    }
}

pub(crate) fn put(descriptor: &OwnedFd) {
    // SAFETY: one readable byte.
    assert_eq!(unsafe { libc::write(descriptor.as_raw_fd(), b"x".as_ptr().cast(), 1) }, 1);
}

/// Eight bytes that last as long as the process. Their content does not matter.
pub(crate) fn buffer() -> *mut libc::c_void {
    static PLACE: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);
    PLACE.as_ptr().cast()
}
