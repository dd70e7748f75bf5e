//! A place for the files of one test, and what is open there.

use std::fs;
use std::os::fd::AsRawFd;
pub use stop_testkit::Directory;

/// The status flags of an open file. `F_GETFL`, fcntl(2).
pub fn status_flags(file: &impl AsRawFd) -> i32 {
    // SAFETY: a query on a number.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) }
}

/// Whether a program that this process turns into would have it open.
pub fn is_inherited(file: &impl AsRawFd) -> bool {
    // SAFETY: a query on a number.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC == 0 }
}

/// How many descriptors this process has.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
