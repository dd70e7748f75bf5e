//! Foreign code is ended by a stop, in both ways and on every backend; on processors
//! without a window nothing ends it.

#![cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]

mod hazards;
mod kit;
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod libraries;
mod plain;
mod random;
mod resets;
mod scopes;
mod table;
