//! The calls that `sys.rs` goes through.

mod ipc;
mod streams;
mod waits;

use std::os::fd::{AsRawFd, OwnedFd};
use stopruntime::Stopped;

/// The call, as libc returns.
pub type Call = Box<dyn FnOnce() -> Result<i64, Stopped> + Send>;

/// A call that would block, and what makes it go on.
pub struct Arranged {
    pub call: Call,
    pub feed: Box<dyn FnOnce()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    Blocks,
    NotOnPpoll,
    EndsByItself,
}

pub struct Case {
    pub name: &'static str,
    pub expect: Expect,
    /// The error with which its event ends it, such as `EINTR` for `pause`.
    pub fails_with: Option<i32>,
    pub arrange: fn() -> Arranged,
}

pub fn cases() -> Vec<Case> {
    let mut all = streams::cases();
    all.extend(waits::cases());
    all.extend(ipc::cases());
    all
}

pub use waits::{endless, with_full_masks};

pub fn case(name: &'static str, arrange: fn() -> Arranged) -> Case {
    Case { name, expect: Expect::Blocks, fails_with: None, arrange }
}

impl Case {
    pub fn not_on_ppoll(self) -> Case {
        Case { expect: Expect::NotOnPpoll, ..self }
    }

    pub fn ends_by_itself(self) -> Case {
        Case { expect: Expect::EndsByItself, ..self }
    }

    pub fn fails_with(self, errno: i32) -> Case {
        Case { fails_with: Some(errno), ..self }
    }
}

pub fn arranged(
    call: impl FnOnce() -> Result<i64, Stopped> + Send + 'static,
    feed: impl FnOnce() + 'static,
) -> Arranged {
    Arranged { call: Box::new(call), feed: Box::new(feed) }
}

/// Both ends of a pipe; the call and its feed keep them alive.
pub fn pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader.into(), writer.into())
}

/// Fills a pipe or socket, so that the next write waits.
pub fn fill(descriptor: &OwnedFd) {
    set_nonblocking(descriptor, true);
    let block = [0_u8; 4096];
    // SAFETY: a readable block.
    while unsafe { libc::write(descriptor.as_raw_fd(), block.as_ptr().cast(), 4096) } > 0 {}
    set_nonblocking(descriptor, false);
}

/// Takes all that is there.
pub fn empty(descriptor: &OwnedFd) {
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

pub fn put(descriptor: &OwnedFd) {
    // SAFETY: one readable byte.
    assert_eq!(unsafe { libc::write(descriptor.as_raw_fd(), b"x".as_ptr().cast(), 1) }, 1);
}
