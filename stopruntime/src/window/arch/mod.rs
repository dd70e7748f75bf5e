//! The window of the architecture that this is built for: what differs, by the same
//! names in each file.
//!
//! | name | what it is |
//! |---|---|
//! | `AVAILABLE` | whether there are windows |
//! | `Context`, `program_counter` | what a signal handler is handed, and where the pc stands in it |
//! | `SYS_rseq`, `SIGNATURE`, `thread_pointer` | what `rseq` registers a thread with, and where libc's area is counted from |
//! | `registers!` | the registers of a call's arguments |
//! | `address!` | the instructions that load the address of a symbol |
//! | `window!` | the text, line for line as the pseudocode in `window`; the widened one for tests |
//! | `probe!` | a critical section that spins until it is aborted |
//! | `ends!` | that there is a table of windows |
//!
//! `machine.rs` stands in for all that have no file here.
//!
//! A file begins with what has to be found out first: the registers, the signature,
//! what the kernel destroys, and what it restores before a thread can reach `abort`.

// Instructions are little-endian on all of them; the signature in front of an
// abort is read as data, and would be another number.
#[cfg_attr(all(target_arch = "x86_64", target_pointer_width = "64"), path = "x86_64.rs")]
#[cfg_attr(
    all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
    path = "aarch64.rs"
)]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "loongarch64.rs")]
mod machine;
pub(crate) use machine::*;
