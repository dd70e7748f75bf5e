//! Locks of files.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::spoiled::{Part, wait};
#[cfg(target_pointer_width = "32")]
use crate::kernel::abi;
use crate::kernel::given::given;
use crate::kernel::plain::{UNSUPPORTED, plain};
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long};

/// flock(2): the lock if it is free. The call is told all in registers; and a
/// descriptor of our own that the handler could close would release the locks
/// that the process has on the file by fcntl(2).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn flock(number: c_long, mut args: [usize; 6]) -> isize {
    let asked = args[1];
    // mutant: flock-refused
    args[1] |= libc::LOCK_NB as usize;
    // SAFETY: the caller's call, made not to wait.
    let raw = unsafe { plain(number, args) };
    let waits = asked & libc::LOCK_NB as usize == 0 && raw == -(libc::EWOULDBLOCK as isize);
    if waits { UNSUPPORTED } else { raw }
}

/// fcntl(2): the locking commands that wait.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn range(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    // SAFETY: the caller's lock, of the command's type.
    unsafe {
        match args[1] as c_int {
            libc::F_SETLKW => of_type::<libc::flock>(record, number, args),
            #[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
            abi::F_SETLKW64 => of_type::<abi::LongLock>(record, number, args),
            #[cfg(target_pointer_width = "32")]
            libc::F_OFD_SETLKW => of_type::<abi::LongLock>(record, number, args),
            #[cfg(target_pointer_width = "64")]
            libc::F_OFD_SETLKW => of_type::<libc::flock>(record, number, args),
            // No other command waits.
            _ => Ok(plain(number, args)),
        }
    }
}

/// # Safety
///
/// As the call, for a lock of this type.
unsafe fn of_type<Lock: Copy>(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    // SAFETY: the caller's lock.
    let Some(mut lock) = (unsafe { given::<Lock>(args[2]) }) else {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    };
    args[2] = &raw mut lock as usize;
    // `l_whence`: each of these types begins with two numbers of 16 bits.
    // SAFETY: inside of the lock.
    let whence = unsafe { (&raw mut lock).cast::<u16>().add(1) };
    // SAFETY: the caller's call, with a copy of its lock.
    unsafe { wait(record, number, args, Part::all_ones(whence, libc::EINVAL)) }
}
