//! The registers of the system call at which a signal has found the thread.

/// What stands behind the thread.
pub(crate) enum Behind {
    /// No system call.
    Nothing,
    /// One with this number, which has just returned.
    Call(core::ffi::c_long),
    /// One of which the number is not known.
    #[cfg(target_arch = "x86_64")]
    Unknown,
}

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;

#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "riscv64")]
pub(crate) use riscv64::*;

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;
