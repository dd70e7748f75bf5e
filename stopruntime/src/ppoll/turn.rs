//! The turn of one caller on a file, between its look at readiness and its call.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::file::status_of;
use crate::runtime::process::{PerProcess, Place};
use core::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
        // mutant: accept-by-one-thread
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
