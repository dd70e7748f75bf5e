//! The kind of file behind a descriptor, as far as waiting depends on it.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use core::ffi::c_int;
// On 32 bits the others fail with a large file.
#[cfg(not(target_env = "gnu"))]
use libc::{fstat, stat};
#[cfg(target_env = "gnu")]
use libc::{fstat64 as fstat, stat64 as stat};

pub(super) fn status_of(descriptor: c_int) -> Option<stat> {
    // SAFETY: zeroed is a valid stat; fstat fills it in.
    let mut status: stat = unsafe { core::mem::zeroed() };
    // SAFETY: as above.
    let result = unsafe { fstat(descriptor, &raw mut status) };
    (result == 0).then_some(status)
}

/// Returns the type bits of the file's mode, or 0 if it has none.
pub(crate) fn kind_of(descriptor: c_int) -> libc::mode_t {
    status_of(descriptor).map_or(0, |status| status.st_mode & libc::S_IFMT)
}

/// Whether transfers with it end by themselves. The kernel's own files
/// (`/proc/kmsg`, `trace_pipe`) only look like files on a disk.
pub(crate) fn is_on_disk(descriptor: c_int) -> bool {
    // The field's type is another one in each libc.
    const PROC: u64 = 0x9fa0;
    const SYSFS: u64 = 0x6265_6572;
    const TRACEFS: u64 = 0x7472_6163;
    const DEBUGFS: u64 = 0x6462_6720;

    match kind_of(descriptor) {
        libc::S_IFDIR | libc::S_IFBLK => true,
        libc::S_IFREG => {
            // SAFETY: zeroed is a valid statfs; fstatfs fills it in.
            let (known, system) = unsafe {
                let mut system: libc::statfs = core::mem::zeroed();
                (libc::fstatfs(descriptor, &raw mut system) == 0, system)
            };
            known && ![PROC, SYSFS, TRACEFS, DEBUGFS].contains(&(system.f_type as u64))
        }
        _ => false,
    }
}
