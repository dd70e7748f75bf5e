//! The window of the architecture that this is built for.

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
pub(crate) use x86_64::*;

// Instructions are little-endian on all of them; the signature in front of an
// abort is read as data, and would be another number.
#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"))]
mod aarch64;
#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"))]
pub(crate) use aarch64::*;

#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "riscv64")]
pub(crate) use riscv64::*;

#[cfg(not(any(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
    target_arch = "riscv64"
)))]
mod none;
#[cfg(not(any(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
    target_arch = "riscv64"
)))]
pub(crate) use none::*;
