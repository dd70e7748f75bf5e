//! Files and terminals.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{by_hand, calls, fcntl_or_stop};
use crate::kernel::abi;
use core::ffi::{c_char, c_int, c_uint, c_void};
use libc::{file_handle, iovec, mode_t, off_t, off64_t, open_how, size_t, ssize_t};

calls! {
    /// read(2).
    "read" read_or_stop(fd: c_int, buffer: *mut c_void, count: size_t) -> ssize_t
        = SYS_read(fd, buffer, count), ppoll: Buffer;
    /// readv(2).
    "readv" readv_or_stop(fd: c_int, vector: *const iovec, count: c_int) -> ssize_t
        = SYS_readv(fd, vector, count), ppoll: Vector;
    /// write(2).
    "write" write_or_stop(fd: c_int, data: *const c_void, count: size_t) -> ssize_t
        = SYS_write(fd, data, count), ppoll: Buffer;
    /// writev(2).
    "writev" writev_or_stop(fd: c_int, vector: *const iovec, count: c_int) -> ssize_t
        = SYS_writev(fd, vector, count), ppoll: Vector;
    /// preadv(2).
    "preadv" preadv_or_stop(fd: c_int, vector: *const iovec, count: c_int, offset: off_t) -> ssize_t
        = SYS_preadv(fd, vector, count, offset, abi::upper(offset)), ppoll: Vector;
    /// pwritev(2).
    "pwritev" pwritev_or_stop(fd: c_int, vector: *const iovec, count: c_int, offset: off_t) -> ssize_t
        = SYS_pwritev(fd, vector, count, offset, abi::upper(offset)), ppoll: Vector;
    /// preadv2(2).
    "preadv2" preadv2_or_stop(fd: c_int, vector: *const iovec, count: c_int, offset: off_t, flags: c_int) -> ssize_t
        = SYS_preadv2(fd, vector, count, offset, abi::upper(offset), flags), ppoll: Vector;
    /// pwritev2(2).
    "pwritev2" pwritev2_or_stop(fd: c_int, vector: *const iovec, count: c_int, offset: off_t, flags: c_int) -> ssize_t
        = SYS_pwritev2(fd, vector, count, offset, abi::upper(offset), flags), ppoll: Vector;
    /// open(2); the mode counts with `O_CREAT` and `O_TMPFILE`. A FIFO waits
    /// for its other end (fifo(7)), which may see that there was one after a
    /// stop. See [EINTR after a partial effect](crate::sys#eintr-after-a-partial-effect).
    "open" open_or_stop(path: *const c_char, flags: c_int, mode: mode_t) -> c_int
        = SYS_openat(libc::AT_FDCWD, path, flags, mode), ppoll: Path;
    /// open(2).
    "openat" openat_or_stop(directory: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int
        = SYS_openat(directory, path, flags, mode), ppoll: Path;
    /// openat2(2).
    "openat2" openat2_or_stop(directory: c_int, path: *const c_char, how: *const open_how, size: size_t) -> c_int
        = SYS_openat2(directory, path, how, size), ppoll: Path;
    /// creat(2).
    "creat" creat_or_stop(path: *const c_char, mode: mode_t) -> c_int
        = SYS_openat(libc::AT_FDCWD, path, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode), ppoll: Path;
    /// `open_by_handle_at(2)`.
    "open_by_handle_at" open_by_handle_at_or_stop(mount: c_int, handle: *mut file_handle, flags: c_int) -> c_int
        = SYS_open_by_handle_at(mount, handle, flags), ppoll: Handle;
    /// fsync(2).
    "fsync" fsync_or_stop(fd: c_int) -> c_int = SYS_fsync(fd), ppoll: Plain;
    /// fdatasync(2).
    "fdatasync" fdatasync_or_stop(fd: c_int) -> c_int = SYS_fdatasync(fd), ppoll: Plain;
    /// syncfs(2).
    "syncfs" syncfs_or_stop(fd: c_int) -> c_int = SYS_syncfs(fd), ppoll: Plain;
    /// msync(2).
    "msync" msync_or_stop(address: *mut c_void, length: size_t, flags: c_int) -> c_int
        = SYS_msync(address, length, flags), ppoll: Plain;
    /// `copy_file_range(2)`.
    "copy_file_range" copy_file_range_or_stop(
        from: c_int, from_offset: *mut off64_t, to: c_int, to_offset: *mut off64_t, length: size_t, flags: c_uint,
    ) -> ssize_t = SYS_copy_file_range(from, from_offset, to, to_offset, length, flags), ppoll: Plain;
    /// flock(2). If the descriptor has the lock of the other kind, the kernel
    /// gives that up before it waits: a stopped call then leaves no lock at all,
    /// as a failed plain one does.
    "flock" flock_or_stop(fd: c_int, operation: c_int) -> c_int = SYS_flock(fd, operation), ppoll: Flock;
    /// ioctl(2). The argument is a number or a pointer, as the request asks for.
    /// What a request has done when it fails with `EINTR` depends on the driver.
    "ioctl" ioctl_or_stop(fd: c_int, request: libc::Ioctl, argument: usize) -> c_int
        = SYS_ioctl(fd, request, argument), ppoll: Refused;
    /// tcdrain(3).
    "tcdrain" tcdrain_or_stop(fd: c_int) -> c_int = SYS_ioctl(fd, libc::TCSBRK, 1), ppoll: Refused;
    /// getrandom(2).
    "getrandom" getrandom_or_stop(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t
        = SYS_getrandom(buffer, length, flags), ppoll: Plain;
}

by_hand! {
    "sync" = SYS_sync, ppoll: Plain;
    "lockf" = SYS_fcntl, ppoll: Range;
}

/// Calls `libc::sync`, stop-checked. sync(2). It cannot fail.
///
/// # Errors
///
/// [`Stopped`](crate::Stopped): a stop is requested and nothing was written.
///
/// # Safety
///
/// None is needed; `libc::sync` is unsafe, and this takes its place.
#[doc(alias = "sync")]
pub unsafe fn sync_or_stop() -> Result<(), crate::Stopped> {
    // SAFETY: takes no argument.
    super::outcome(unsafe { crate::call::call(libc::SYS_sync, []) }).map(drop)
}

/// Calls `libc::lockf`, stop-checked. lockf(3): a lock from the current position
/// on, by way of fcntl(2).
///
/// # Errors
///
/// [`Stopped`](crate::Stopped): a stop is requested and no lock was taken.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "lockf")]
pub unsafe fn lockf_or_stop(
    fd: c_int,
    command: c_int,
    length: off_t,
) -> Result<c_int, crate::Stopped> {
    if command != libc::F_LOCK {
        crate::check()?;
        // SAFETY: the caller's call; only F_LOCK waits.
        return Ok(unsafe { libc::lockf(fd, command, length) });
    }
    // SAFETY: zeroed is a valid lock.
    let mut lock: libc::flock = unsafe { core::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as _;
    lock.l_whence = libc::SEEK_CUR as _;
    lock.l_len = length;
    // SAFETY: the lock outlives the call.
    unsafe { fcntl_or_stop(fd, libc::F_SETLKW, &raw const lock as usize) }
}
