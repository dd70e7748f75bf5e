//! Reading and writing: pipes, and files, which never wait.

use super::files::scratch;
use super::{Arranged, Case, FromWord, arranged, buffer, case, empty, fill, pipe, put};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use stopruntime::{Stopped, sys};

/// The position that a pipe has: none. preadv2(2).
const CURRENT: libc::off_t = -1;

/// A call on the empty end of a pipe; fed by a byte.
fn reading(call: fn(i32) -> Result<isize, Stopped>) -> Arranged {
    let (reader, writer) = pipe();
    let writer = Arc::new(writer);
    let other = Arc::clone(&writer);
    arranged(move || call(reader.as_raw_fd()).map(i64::from_word), move || put(&other))
        .keeping(writer)
}

/// A call on the full end of a pipe; fed by emptying it.
pub(super) fn writing(call: fn(i32) -> Result<isize, Stopped>) -> Arranged {
    let (reader, writer) = pipe();
    fill(&writer);
    let reader = Arc::new(reader);
    let other = Arc::clone(&reader);
    arranged(move || call(writer.as_raw_fd()).map(i64::from_word), move || empty(&other))
        .keeping(reader)
}

/// A call on a file of eight bytes.
fn on_file(call: fn(i32) -> Result<isize, Stopped>) -> Arranged {
    let file = scratch(8);
    arranged(move || call(file.as_raw_fd()).map(i64::from_word), || ())
}

/// Calls with a buffer of one byte by this vector.
pub(super) fn vectored<R>(call: impl FnOnce(*mut libc::iovec) -> R) -> R {
    let mut vector = libc::iovec { iov_base: buffer(), iov_len: 1 };
    call(&raw mut vector)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("read", || reading(made!(|fd| sys::read_or_stop(fd, buffer(), 1))))
            .gives(1)
            .stands_for(&["eventfd_read"]),
        case("readv", || reading(made!(|fd| vectored(|vector| sys::readv_or_stop(fd, vector, 1)))))
            .gives(1),
        case("preadv2", || {
            reading(made!(|fd| vectored(|vector| {
                sys::preadv2_or_stop(fd, vector, 1, CURRENT, 0)
            })))
        })
        .gives(1),
        case("write", || writing(made!(|fd| sys::write_or_stop(fd, buffer(), 1))))
            .gives(1)
            .stands_for(&["eventfd_write"]),
        case("writev", || {
            writing(made!(|fd| vectored(|vector| sys::writev_or_stop(fd, vector, 1))))
        })
        .gives(1),
        case("pwritev2", || {
            writing(made!(|fd| vectored(|vector| {
                sys::pwritev2_or_stop(fd, vector, 1, CURRENT, 0)
            })))
        })
        .gives(1),
        case("pread", || on_file(made!(|fd| sys::pread_or_stop(fd, buffer(), 8, 0))))
            .gives(8)
            .ends_by_itself(),
        case("preadv", || {
            on_file(made!(|fd| vectored(|vector| sys::preadv_or_stop(fd, vector, 1, 0))))
        })
        .gives(1)
        .ends_by_itself(),
        case("pwrite", || on_file(made!(|fd| sys::pwrite_or_stop(fd, buffer(), 8, 0))))
            .gives(8)
            .ends_by_itself(),
        case("pwritev", || {
            on_file(made!(|fd| vectored(|vector| sys::pwritev_or_stop(fd, vector, 1, 0))))
        })
        .gives(1)
        .ends_by_itself(),
    ]
}
