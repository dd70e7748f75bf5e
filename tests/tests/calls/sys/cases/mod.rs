//! The calls that `sys.rs` goes through: each arranged so that it waits, with
//! what makes it go on.

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

pub mod caller;
mod children;
mod copies;
mod files;
mod futexes;
mod ipc;
mod locks;
pub mod names;
mod readiness;
mod requests;
mod rings;
mod signals;
mod sockets;
mod streams;
pub mod table;
mod times;
mod waits;

use std::any::Any;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use stopruntime::Stopped;

pub use signals::with_full_masks;

/// The call, as libc returns. Made again after a stop.
pub type Call = Box<dyn FnMut() -> Result<i64, Stopped> + Send>;

/// A call that would wait, and what makes it go on.
pub struct Arranged {
    pub call: Call,
    pub feed: Box<dyn FnOnce()>,
    /// What has to stay until the phase is over, such as the other end.
    pub keep: Box<dyn Any>,
}

/// How a call ends that nobody stops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It waits until it is fed.
    Waits,
    /// As `Waits`, but what it waits for is lost unless it waits already: a
    /// signal that is not blocked.
    WaitsForTheMoment,
    /// It waits for nobody, or nothing makes it wait on this machine.
    EndsByItself,
}

#[derive(Clone, Copy)]
pub struct Case {
    /// As the table in the documentation of `sys` has it.
    pub name: &'static str,
    /// Functions of libc that have no variant, in whose place this is used.
    pub stands_for: &'static [&'static str],
    pub nature: Nature,
    /// Its result.
    pub gives: i64,
    /// The error with which its event ends it, such as `EINTR` for `pause`; or
    /// the one for who may not make it.
    pub fails_with: Option<i32>,
    /// It waits in a futex, as the test's own threads do at their start.
    pub in_futex: bool,
    pub arrange: fn() -> Arranged,
}

/// What qemu-user 7.2 does not have, or goes on waiting in when a signal comes.
const NOT_EMULATED: [&str; 15] = [
    "preadv2",
    "pwritev2",
    "splice",
    "tee",
    "vmsplice",
    "sendfile",
    "openat2",
    "open_by_handle_at",
    "ioctl",
    "epoll_pwait2",
    "mq_timedreceive",
    "mq_timedsend",
    "syscall",
    "futex_waitv",
    "io_uring_enter",
];

/// Those of the owner of a lock.
const LOCKS: &str = "futex(FUTEX_LOCK_PI";

/// Without what an emulator of user space keeps from being tested.
pub fn that_can_be(mut cases: Vec<Case>) -> Vec<Case> {
    if stop_tests::emulation_hides(
        &NOT_EMULATED.join(" "),
        "ENOSYS, or goes on waiting when a signal comes",
    ) {
        cases.retain(|case| !NOT_EMULATED.contains(&case.name));
    }
    if cfg!(target_endian = "big") && stop_tests::emulation_hides(LOCKS, stop_tests::OWNER_SWAPPED)
    {
        cases.retain(|case| !case.name.starts_with(LOCKS));
    }
    cases
}

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

pub fn case(name: &'static str, arrange: fn() -> Arranged) -> Case {
    let nature = Nature::Waits;
    Case { name, stands_for: &[], nature, gives: 0, fails_with: None, in_futex: false, arrange }
}

impl Case {
    pub fn stands_for(self, stands_for: &'static [&'static str]) -> Case {
        Case { stands_for, ..self }
    }

    pub fn gives(self, gives: i64) -> Case {
        Case { gives, ..self }
    }

    pub fn ends_by_itself(self) -> Case {
        Case { nature: Nature::EndsByItself, ..self }
    }

    pub fn waits_for_the_moment(self) -> Case {
        Case { nature: Nature::WaitsForTheMoment, ..self }
    }

    pub fn fails_with(self, errno: i32) -> Case {
        Case { fails_with: Some(errno), ..self }
    }

    pub fn in_futex(self) -> Case {
        Case { in_futex: true, ..self }
    }
}

pub fn arranged(
    call: impl FnMut() -> Result<i64, Stopped> + Send + 'static,
    feed: impl FnOnce() + 'static,
) -> Arranged {
    Arranged { call: Box::new(call), feed: Box::new(feed), keep: Box::new(()) }
}

impl Arranged {
    pub fn keeping(self, keep: impl Any) -> Arranged {
        Arranged { keep: Box::new(keep), ..self }
    }
}

/// One width for all results.
pub trait FromWord<T> {
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
pub fn close(result: i32) -> i64 {
    if result >= 0 {
        // SAFETY: made just now, nobody else's.
        drop(unsafe { OwnedFd::from_raw_fd(result) });
    }
    result.min(0).into()
}

/// Both ends of a pipe.
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

/// Eight bytes that last as long as the process; nobody looks at what is in
/// them.
pub fn buffer() -> *mut libc::c_void {
    static PLACE: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);
    PLACE.as_ptr().cast()
}
