//! Between two descriptors.

use super::files::scratch;
use super::streams::{vectored, writing};
use super::{Arranged, Case, FromWord, arranged, case, pipe, put};
use core::ptr::null_mut;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use stopruntime::{Stopped, sys};

/// From an empty pipe to another with room; fed by a byte.
fn copying(call: fn(i32, i32) -> Result<isize, Stopped>) -> Arranged {
    let (from, feed) = pipe();
    let (rest, to) = pipe();
    let feed = Arc::new(feed);
    let other = Arc::clone(&feed);
    arranged(
        move || call(from.as_raw_fd(), to.as_raw_fd()).map(i64::from_word),
        move || put(&other),
    )
    .keeping((feed, rest))
}

fn between_files() -> Arranged {
    let (from, to) = (scratch(8), scratch(0));
    arranged(
        move || {
            let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
            // SAFETY: no offsets.
            let copied =
                unsafe { sys::copy_file_range_or_stop(from, null_mut(), to, null_mut(), 8, 0) };
            copied.map(i64::from_word)
        },
        || (),
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("splice", || {
            copying(made!(|from, to| sys::splice_or_stop(from, null_mut(), to, null_mut(), 1, 0)))
        })
        .gives(1),
        case("tee", || copying(made!(|from, to| sys::tee_or_stop(from, to, 1, 0)))).gives(1),
        case("vmsplice", || {
            writing(made!(|fd| vectored(|vector| sys::vmsplice_or_stop(fd, vector, 1, 0))))
        })
        .gives(1),
        case("sendfile", || {
            writing(made!(|fd| {
                sys::sendfile_or_stop(fd, scratch(8).as_raw_fd(), null_mut(), 1)
            }))
        })
        .gives(1),
        case("splice(offset)", || {
            writing(made!(|fd| {
                let mut offset = 0;
                let from = scratch(8);
                sys::splice_or_stop(from.as_raw_fd(), &raw mut offset, fd, null_mut(), 1, 0)
            }))
        })
        .gives(1),
        case("sendfile(offset)", || {
            writing(made!(|fd| {
                let mut offset = 0;
                let sent = sys::sendfile_or_stop(fd, scratch(8).as_raw_fd(), &raw mut offset, 1);
                assert_eq!(offset, i64::from(sent == Ok(1)) as libc::off_t);
                sent
            }))
        })
        .gives(1),
        case("copy_file_range", between_files).gives(8).ends_by_itself(),
    ]
}
