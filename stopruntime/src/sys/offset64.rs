//! Calls that are given places in a file: of 64 bits, and so two registers
//! each where those have 32.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

#[cfg(target_pointer_width = "64")]
use super::calls;
#[cfg(target_pointer_width = "32")]
use crate::scope::Stopped;
use core::ffi::{c_int, c_uint, c_void};
use libc::{off_t, off64_t, size_t, ssize_t};

#[cfg(target_pointer_width = "64")]
calls! {
    /// pread(2).
    "pread" pread_or_stop(fd: c_int, buffer: *mut c_void, count: size_t, offset: off_t) -> ssize_t
        = SYS_pread64(fd, buffer, count, offset), ppoll: Buffer;
    /// pwrite(2).
    "pwrite" pwrite_or_stop(fd: c_int, data: *const c_void, count: size_t, offset: off_t) -> ssize_t
        = SYS_pwrite64(fd, data, count, offset), ppoll: Buffer;
    /// fallocate(2). On hugetlbfs the call itself ends half-way with `EINTR`, and
    /// keeps the pages it has: after a stop too. Made again, it does the rest.
    "fallocate" fallocate_or_stop(fd: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int
        = SYS_fallocate(fd, mode, offset, length), ppoll: Plain;
    /// fcntl(2): `F_SETLKW` and `F_OFD_SETLKW` wait. The argument is a number
    /// or a pointer, as the command asks for.
    "fcntl" fcntl_or_stop(fd: c_int, command: c_int, argument: usize) -> c_int
        = SYS_fcntl(fd, command, argument), ppoll: Range;
}

#[cfg(all(target_pointer_width = "64", not(target_arch = "powerpc64")))]
calls! {
    /// `sync_file_range(2)`.
    "sync_file_range" sync_file_range_or_stop(fd: c_int, offset: off64_t, length: off64_t, flags: c_uint) -> c_int
        = SYS_sync_file_range(fd, offset, length, flags), ppoll: Plain;
}

/// Where there is `Ppoll` alone, which makes these calls as they are. Which
/// registers a pair goes to, which half comes first, and where the flags stand
/// is another thing on each architecture (syscall(2)), and libc's to know.
#[cfg(any(target_pointer_width = "32", target_arch = "powerpc64"))]
macro_rules! plain_calls {
    ($(
        $(#[$attribute:meta])*
        $alias:literal $plain:ident $name:ident($($argument:ident: $type:ty),*) -> $result:ty;
    )*) => {$(
        #[doc = concat!("`libc::", $alias, "`, stop-checked.")]
        $(#[$attribute])*
        ///
        /// # Errors
        ///
        /// [`Stopped`](crate::Stopped): a stop is requested and the call had no effect.
        ///
        /// # Safety
        ///
        /// As the plain call.
        #[doc(alias = $alias)]
        pub unsafe fn $name($($argument: $type),*) -> Result<$result, crate::scope::Stopped> {
            crate::check()?;
            // SAFETY: the caller answers for the call.
            Ok(unsafe { libc::$plain($($argument),*) })
        }
    )*};
}

#[cfg(target_pointer_width = "32")]
plain_calls! {
    /// pread(2).
    "pread" pread pread_or_stop(fd: c_int, buffer: *mut c_void, count: size_t, offset: off_t) -> ssize_t;
    /// pwrite(2).
    "pwrite" pwrite pwrite_or_stop(fd: c_int, data: *const c_void, count: size_t, offset: off_t) -> ssize_t;
    /// fallocate(2).
    "fallocate" fallocate fallocate_or_stop(fd: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int;
}

#[cfg(any(target_pointer_width = "32", target_arch = "powerpc64"))]
plain_calls! {
    /// `sync_file_range(2)`.
    "sync_file_range" sync_file_range sync_file_range_or_stop(fd: c_int, offset: off64_t, length: off64_t, flags: c_uint) -> c_int;
}

/// Calls `libc::fcntl`, stop-checked. fcntl(2): `F_SETLKW` and `F_OFD_SETLKW` wait.
/// The argument is a number or a pointer, as the command asks for.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// As the plain call.
#[cfg(target_pointer_width = "32")]
#[doc(alias = "fcntl")]
pub unsafe fn fcntl_or_stop(fd: c_int, command: c_int, argument: usize) -> Result<c_int, Stopped> {
    let locked = match command {
        // libc's own type, which of the two there are its command says.
        libc::F_SETLKW => argument,
        // libc has only one type for both; the kernel, for these, the other.
        libc::F_OFD_SETLKW => {
            // SAFETY: null or the caller's lock.
            let Some(given) = (unsafe { crate::kernel::given::given::<libc::flock>(argument) })
            else {
                // SAFETY: the caller's call, which the kernel refuses.
                return unsafe { fcntl64(fd, command, argument) };
            };
            let long = crate::kernel::abi::LongLock {
                l_type: given.l_type,
                l_whence: given.l_whence,
                l_start: given.l_start.into(),
                l_len: given.l_len.into(),
                l_pid: given.l_pid,
            };
            // SAFETY: the lock outlives the call.
            return unsafe { fcntl64(fd, command, &raw const long as usize) };
        }
        _ => {
            crate::check()?;
            // SAFETY: the caller's call; no other command waits.
            return Ok(unsafe { libc::fcntl(fd, command, argument) });
        }
    };
    // SAFETY: the caller's lock.
    unsafe { fcntl64(fd, command, locked) }
}

#[cfg(target_pointer_width = "32")]
unsafe fn fcntl64(fd: c_int, command: c_int, lock: usize) -> Result<c_int, Stopped> {
    let args = [fd as usize, command as usize, lock];
    // SAFETY: the caller's lock.
    super::outcome(unsafe { crate::call::call(crate::kernel::abi::SYS_fcntl, args) })
        .map(|it| it as c_int)
}
