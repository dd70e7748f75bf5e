//! Rings of submissions and completions. `io_uring(7)`.

use super::{Arranged, Case, arranged, case, pipe, put};
use core::ptr::null;
use io_uring::types::Fd;
use io_uring::{EnterFlags, IoUring, opcode};
use std::os::fd::{AsRawFd, RawFd};
use stopruntime::{Stopped, sys};

const WAIT: u32 = EnterFlags::GETEVENTS.bits();

/// A ring with a read under way.
fn waiting(enter: fn(u32) -> Result<i32, Stopped>) -> Arranged {
    let (reader, writer) = pipe();
    let mut ring = IoUring::new(2).unwrap();
    let byte = super::buffer().cast();
    let read = opcode::Read::new(Fd(reader.as_raw_fd()), byte, 1).build();
    // SAFETY: the byte lasts as long as the process, the pipe as long as the
    // ring.
    unsafe { ring.submission().push(&read) }.unwrap();
    assert_eq!(ring.submit().unwrap(), 1);
    let fd = number(ring.as_raw_fd());
    arranged(move || enter(fd).map(i64::from), move || put(&writer)).keeping((ring, reader))
}

fn number(descriptor: RawFd) -> u32 {
    descriptor.cast_unsigned()
}

fn with_mask(ring: u32) -> Result<i32, Stopped> {
    // SAFETY: nothing is submitted, and no mask given.
    unsafe { sys::io_uring_enter_or_stop(ring, 0, 1, WAIT, null()) }
}

fn with_argument(ring: u32) -> Result<i32, Stopped> {
    let flags = WAIT | EnterFlags::EXT_ARG.bits();
    // `struct io_uring_getevents_arg`: no mask, no time-out.
    let nothing = [0_u64; 3];
    // SAFETY: nothing is submitted, and the argument has its length.
    unsafe { sys::io_uring_enter2_or_stop(ring, 0, 1, flags, nothing.as_ptr().cast(), 24) }
}

/// On a kernel that has no rings, or lets us have none.
fn without_rings(enter: fn(u32) -> Result<i32, Stopped>) -> Arranged {
    arranged(move || enter(number(-1)).map(i64::from), || ())
}

pub(super) fn cases() -> Vec<Case> {
    let refused = IoUring::new(2).err().and_then(|error| error.raw_os_error());
    let of = |name, waits, refuses| match refused {
        None => case(name, waits),
        Some(libc::ENOSYS) => case(name, refuses).ends_by_itself().fails_with(libc::ENOSYS),
        Some(_) => case(name, refuses).ends_by_itself().fails_with(libc::EBADF),
    };
    vec![
        of("io_uring_enter", || waiting(with_mask), || without_rings(with_mask)),
        of("io_uring_enter2", || waiting(with_argument), || without_rings(with_argument)),
    ]
}
