//! The machine that has no window, and so [`Backend::Ppoll`] alone: nothing here is
//! ever called. The same names as in the files of those that have one.
//!
//! That backend makes its system calls through libc, with or without windows. They
//! are function calls, across which the compiler keeps no more in registers than
//! the ABI lets it; what the kernel destroys besides is between it and libc.
//!
//! [`Backend::Ppoll`]: crate::Backend::Ppoll
//!
//! # Safety
//!
//! Nothing here does anything.

#![allow(unsafe_code)]
#![allow(non_upper_case_globals, reason = "libc's name")]

use core::ffi::c_void;

/// Whether there are windows.
pub(crate) const AVAILABLE: bool = false;

/// Stands in for libc's `ucontext_t`, which the libc crate does not have
/// everywhere; there is never one.
pub(crate) struct Context {
    pub(crate) uc_sigmask: libc::sigset_t,
}

/// No call's number.
pub(crate) const SYS_rseq: libc::c_long = -1;

/// Nothing is registered with it.
pub(crate) const SIGNATURE: u32 = 0;

/// No register has a name.
macro_rules! registers {
    ($then:ident) => {
        $then! { () () () () () () }
    };
}
pub(crate) use registers;

/// No system call is made.
macro_rules! window {
    (wide $spins:expr; $($call:tt)*) => {{
        let _ = $spins;
        window!(; $($call)*)
    }};
    (; $line:expr, $number:expr, [$($register:tt = $value:expr),*]) => {{
        let _ = ($line, $number, $($value),*);
        $crate::window::STOPPED
    }};
}
pub(crate) use window;

/// Nothing is aborted.
macro_rules! probe {
    ($rseq_cs:expr, $turns:expr) => {{
        let _ = ($rseq_cs, $turns);
        0
    }};
}
pub(crate) use probe;

/// No descriptor.
macro_rules! ends {
    ($of_the_section:ident) => {
        (core::ptr::dangling(), core::ptr::dangling())
    };
}
pub(crate) use ends;

/// Nowhere.
///
/// # Safety
///
/// None needed.
pub(crate) unsafe fn program_counter(context: *mut Context) -> *mut usize {
    context.cast()
}

/// Nowhere.
pub(crate) fn thread_pointer() -> *mut c_void {
    core::ptr::null_mut()
}
