//! Handing the calls of an armed thread over to a handler, where the kernel can.

#[cfg(target_arch = "x86_64")]
mod actions;
#[cfg(target_arch = "x86_64")]
mod gadgets;
#[cfg(target_arch = "x86_64")]
mod masks;
#[cfg(target_arch = "x86_64")]
mod stack;
#[cfg(target_arch = "x86_64")]
mod trap;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use stack::with_room;
#[cfg(target_arch = "x86_64")]
pub(crate) use trap::on_sigsys;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

#[cfg(not(target_arch = "x86_64"))]
mod none;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use none::*;
