//! What kind of file a descriptor is, as far as waiting goes.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use crate::runtime::process::{PerProcess, Place};
use core::ffi::c_int;
// On 32 bits the others fail with a large file.
#[cfg(not(target_env = "gnu"))]
use libc::{fstat, stat};
#[cfg(target_env = "gnu")]
use libc::{fstat64 as fstat, stat64 as stat};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

fn status_of(descriptor: c_int) -> Option<stat> {
    // SAFETY: zeroed is a valid stat; fstat fills it in.
    let mut status: stat = unsafe { core::mem::zeroed() };
    // SAFETY: as above.
    let result = unsafe { fstat(descriptor, &raw mut status) };
    (result == 0).then_some(status)
}

/// The type bits of its mode, 0 for what has none.
pub(crate) fn kind_of(descriptor: c_int) -> libc::mode_t {
    status_of(descriptor).map_or(0, |status| status.st_mode & libc::S_IFMT)
}

/// Whether transfers with it end by themselves. The kernel's own files
/// (`/proc/kmsg`, `trace_pipe`) only look like files on a disk.
pub(crate) fn is_on_disk(descriptor: c_int) -> bool {
    is_kind_on_disk(descriptor, kind_of(descriptor))
}

/// As [`is_on_disk`], of a file of this kind.
pub(super) fn is_kind_on_disk(descriptor: c_int, kind: libc::mode_t) -> bool {
    // The field's type is another one in each libc.
    const PROC: u64 = 0x9fa0;
    const SYSFS: u64 = 0x6265_6572;
    const TRACEFS: u64 = 0x7472_6163;
    const DEBUGFS: u64 = 0x6462_6720;

    match kind {
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

/// A terminal opened once more, not to wait: `POLLOUT` of a terminal says that
/// there is room for something, not for a line feed that becomes two
/// characters. The descriptor's own description may be shared with others,
/// whom `O_NONBLOCK` would disturb. Not for the master's side, which opens as
/// a new terminal.
pub(super) fn terminal(descriptor: c_int) -> Option<OwnedFd> {
    let mut number: c_int = 0;
    // SAFETY: a query on a number, and one into a valid place.
    let is_slave = unsafe {
        libc::isatty(descriptor) == 1
            && libc::ioctl(descriptor, libc::TIOCGPTN, &raw mut number) != 0
    };
    if !is_slave {
        return None;
    }
    let path = std::ffi::CString::new(format!("/proc/self/fd/{descriptor}")).ok()?;
    let flags = libc::O_WRONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: a terminated path.
    let raw = unsafe { libc::open(path.as_ptr(), flags) };
    // SAFETY: made just now, nobody else's.
    (raw >= 0).then(|| unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The files on which a stop-checked caller is between its look at readiness
/// and its call.
// SAFETY: its only user.
static TAKEN: PerProcess<Mutex<Vec<(u64, u64)>>> = unsafe { PerProcess::new(Place::Turns) };

/// The turn of one caller on a file.
pub(super) struct Turn(u64, u64);

impl Turn {
    /// Takes the turn, unless another caller has it.
    pub(super) fn take(descriptor: c_int) -> Option<Turn> {
        #[allow(clippy::useless_conversion, reason = "shorter on some architectures")]
        let (device, inode) = status_of(descriptor)
            .map_or((0, 0), |status| (status.st_dev.into(), status.st_ino.into()));
        let mut taken = list();
        // mutant: by-one-at-time-2
        if taken.contains(&(device, inode)) {
            return None;
        }
        taken.push((device, inode));
        Some(Turn(device, inode))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        list().retain(|other| *other != (self.0, self.1));
    }
}

fn list() -> MutexGuard<'static, Vec<(u64, u64)>> {
    TAKEN.get_or_make().lock().unwrap_or_else(PoisonError::into_inner)
}
