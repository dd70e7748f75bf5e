//! Calls that can be made not to wait but not be waited for: done at once, or
//! `ENOTSUP`.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::{UNSUPPORTED, file, plain};
use crate::kernel::abi::{self, LongTime};
use crate::kernel::given::{each_given, given, is_long_time};
use core::ffi::{c_int, c_long};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What a call says when it would have to wait.
const WOULD_WAIT: [c_int; 3] = [libc::EAGAIN, libc::EACCES, libc::ENOMSG];

/// The result, or `ENOTSUP` if the call would have to wait.
fn done(raw: isize) -> isize {
    let waits = WOULD_WAIT.iter().any(|error| raw == -(*error as isize));
    if waits { UNSUPPORTED } else { raw }
}

/// flock(2).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn flock(mut args: [usize; 6]) -> isize {
    let asked = args[1];
    // mutant: what-cannot-waited-for-refused
    args[1] |= libc::LOCK_NB as usize;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(libc::SYS_flock, args) };
    if asked & libc::LOCK_NB as usize != 0 { raw } else { done(raw) }
}

/// fcntl(2): the locking commands that wait, as those that do not.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn fcntl(mut args: [usize; 6]) -> isize {
    let command = match args[1] as c_int {
        libc::F_SETLKW => libc::F_SETLK,
        #[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
        abi::F_SETLKW64 => abi::F_SETLK64,
        libc::F_OFD_SETLKW => libc::F_OFD_SETLK,
        // SAFETY: the caller's call; no other command waits.
        _ => return unsafe { plain(abi::SYS_fcntl, args) },
    };
    args[1] = command as usize;
    // SAFETY: the caller's call, made not to wait.
    done(unsafe { plain(abi::SYS_fcntl, args) })
}

/// msgrcv(2) and msgsnd(2): `IPC_NOWAIT` among the flags.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn message(number: c_long, mut args: [usize; 6], flags_at: usize) -> isize {
    let asked = args[flags_at];
    args[flags_at] |= libc::IPC_NOWAIT as usize;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(number, args) };
    if asked & libc::IPC_NOWAIT as usize != 0 { raw } else { done(raw) }
}

/// semop(2): `IPC_NOWAIT` in each operation.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn semaphore(mut args: [usize; 6]) -> isize {
    // SAFETY: the caller's time-out, if it gave one.
    let timeout = unsafe { given::<LongTime>(args[3]) };
    let refused = args[2] > most_operations() || timeout.is_some_and(|time| !is_long_time(time));
    if args[1] == 0 || args[2] == 0 || refused {
        // SAFETY: the caller's call, which the kernel refuses.
        return unsafe { plain(abi::SYS_semtimedop, args) };
    }
    // SAFETY: the caller's operations.
    let mut operations =
        unsafe { each_given::<libc::sembuf>(args[1], args[2]) }.collect::<Vec<_>>();
    let asked = operations.iter().any(|one| c_int::from(one.sem_flg) & libc::IPC_NOWAIT != 0);
    for operation in &mut operations {
        operation.sem_flg |= libc::IPC_NOWAIT as i16;
    }
    args[1] = operations.as_ptr() as usize;
    args[3] = 0;
    // SAFETY: the same operations, made not to wait.
    let raw = unsafe { plain(abi::SYS_semtimedop, args) };
    if asked { raw } else { done(raw) }
}

/// How many operations semop(2) takes (`SEMOPM`). With more it fails without a
/// look at them. semctl(2), `IPC_INFO`.
fn most_operations() -> usize {
    /// `struct seminfo` (`linux/sem.h`), which not every libc has: ten numbers.
    const SEMOPM: usize = 5;
    let mut limits: [c_int; 10] = [0; 10];
    // SAFETY: a place for a seminfo.
    let known = unsafe { libc::semctl(0, 0, libc::IPC_INFO, limits.as_mut_ptr()) } >= 0;
    if known { usize::try_from(limits[SEMOPM]).unwrap_or(0) } else { 0 }
}

/// openat(2): a FIFO waits for its other end. (So may a file under a lease, for
/// a bounded time, and a serial line for its carrier: not looked for.)
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn open(number: c_long, args: [usize; 6]) -> isize {
    let flags = if number == libc::SYS_openat {
        args[2] as c_int
    } else {
        // SAFETY: openat2's `how`, which begins with the flags, if its size is
        // one that the kernel looks at.
        let how = if args[3] < size_of::<u64>() { None } else { unsafe { given::<u64>(args[2]) } };
        match how {
            Some(flags) => flags as c_int,
            // SAFETY: the caller's call, which the kernel refuses.
            None => return unsafe { plain(number, args) },
        }
    };
    if !opens_at_once(flags) {
        // SAFETY: zeroed is a valid stat.
        let mut status: libc::stat = unsafe { core::mem::zeroed() };
        let follow = if flags & libc::O_NOFOLLOW != 0 { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
        // SAFETY: the caller's directory and path.
        let found = unsafe {
            libc::fstatat(args[0] as c_int, args[1] as *const _, &raw mut status, follow) == 0
        };
        if found && status.st_mode & libc::S_IFMT == libc::S_IFIFO {
            // SAFETY: the caller's call.
            return unsafe { write_fifo(number, args, flags) };
        }
    }
    // SAFETY: the caller's call.
    unsafe { plain(number, args) }
}

/// A FIFO that has a reader is opened for writing at once. Whether it has a
/// writer can only be found out by becoming a reader, which the writer sees.
///
/// # Safety
///
/// As the call.
unsafe fn write_fifo(number: c_long, mut args: [usize; 6], flags: c_int) -> isize {
    if number != libc::SYS_openat || flags & libc::O_ACCMODE != libc::O_WRONLY {
        return UNSUPPORTED;
    }
    args[2] |= libc::O_NONBLOCK as usize;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(number, args) };
    if raw == -(libc::ENXIO as isize) {
        return UNSUPPORTED;
    }
    if raw >= 0 {
        // SAFETY: an operation on a descriptor that nobody else knows yet.
        unsafe {
            let flags = libc::fcntl(raw as c_int, libc::F_GETFL);
            libc::fcntl(raw as c_int, libc::F_SETFL, flags & !libc::O_NONBLOCK);
        }
    }
    raw
}

/// `open_by_handle_at(2)`, as [`open`]; what it is about to open it looks at
/// through a descriptor that opens nothing (`O_PATH`).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn open_by_handle(args: [usize; 6]) -> isize {
    if !opens_at_once(args[2] as c_int) {
        let look = (libc::O_PATH | libc::O_CLOEXEC) as usize;
        // SAFETY: the caller's handle.
        let raw = unsafe { plain(libc::SYS_open_by_handle_at, [args[0], args[1], look, 0, 0, 0]) };
        if raw < 0 {
            return raw;
        }
        // SAFETY: made just now, nobody else's.
        let seen = unsafe { OwnedFd::from_raw_fd(raw as c_int) };
        if file::kind_of(seen.as_raw_fd()) == libc::S_IFIFO {
            return UNSUPPORTED;
        }
    }
    // SAFETY: the caller's call.
    unsafe { plain(libc::SYS_open_by_handle_at, args) }
}

/// Whether these flags open even a FIFO without its other end.
fn opens_at_once(flags: c_int) -> bool {
    flags & (libc::O_NONBLOCK | libc::O_PATH) != 0 || flags & libc::O_ACCMODE == libc::O_RDWR
}
