//! The system calls of files: as `raw`, by the bare descriptor, and by path.
//!
//! # Safety
//!
//! The invariant of this module: every pointer handed to the kernel comes from
//! a reference or a local that outlives the call, with its own length.

#![allow(unsafe_code)]

use crate::call::{Raw, call};
use crate::ext::Outcome;
use core::ffi::{CStr, c_int, c_long};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// openat(2) of a path, by the flags given and `O_CLOEXEC`, with the mode that
/// std gives a new file. A foreign signal does not end it, as in std.
pub(in crate::ext) fn open(path: &CStr, flags: c_int) -> Outcome<File> {
    const MODE: usize = 0o666;
    // O_LARGEFILE is 0 where there is no other kind.
    let flags = flags | libc::O_CLOEXEC | libc::O_LARGEFILE;
    let args = [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize, MODE];
    // SAFETY: a terminated path, which outlives the call.
    let opened = repeated(|| unsafe { call(libc::SYS_openat, args) })?;
    // SAFETY: a descriptor made just now, which has no other owner.
    Ok(opened.map(|new| unsafe { OwnedFd::from_raw_fd(new as c_int) }.into()))
}

/// Opens the path and nothing of what it leads to (`O_PATH`, open(2)), which never
/// waits. Not by std's options: on musl they remove that flag, which counts as an
/// access mode there.
pub(in crate::ext) fn look(path: &CStr, flags: c_int) -> io::Result<File> {
    // SAFETY: a terminated path, which outlives the call.
    let new = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC | flags) };
    if new < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor made just now, which has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(new) }.into())
}

/// fsync(2) or fdatasync(2); a foreign signal does not end it, as in std.
pub(in crate::ext) fn sync(number: c_long, file: &File) -> Outcome<()> {
    // SAFETY: takes no pointer.
    let done = repeated(|| unsafe { call(number, [file.as_raw_fd() as usize]) })?;
    Ok(done.map(drop))
}

/// flock(2); a foreign signal ends it where its handler has no `SA_RESTART`, as
/// in std.
pub(in crate::ext) fn flock(file: &File, operation: c_int) -> Outcome<()> {
    // SAFETY: takes no pointer.
    let raw = unsafe { call(libc::SYS_flock, [file.as_raw_fd() as usize, operation as usize]) };
    Ok(raw.decode()?.map(drop))
}

/// The file status flags. `F_GETFL`, fcntl(2).
pub(in crate::ext) fn status_flags(file: &File) -> io::Result<c_int> {
    // SAFETY: a query on a number.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) } {
        -1 => Err(io::Error::last_os_error()),
        flags => Ok(flags),
    }
}

/// Until no foreign signal ends it.
fn repeated(mut call: impl FnMut() -> Raw) -> Outcome<usize> {
    loop {
        let raw = call();
        if !raw.is_interrupted() {
            return raw.decode();
        }
    }
}

/// The user whose rights the kernel checks. geteuid(2).
pub(in crate::ext) fn effective_user() -> u32 {
    // SAFETY: takes no argument, cannot fail.
    unsafe { libc::geteuid() }
}
