//! Waiting for children. wait(2), wait4(2).
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::calls;
use core::ffi::c_int;
use libc::{id_t, idtype_t, pid_t, rusage, siginfo_t};

calls! {
    /// wait(2).
    "wait" wait_or_stop(status: *mut c_int) -> pid_t = SYS_wait4(-1_isize, status, 0, 0), ppoll: AnyChild;
    /// wait(2).
    "waitpid" waitpid_or_stop(child: pid_t, status: *mut c_int, options: c_int) -> pid_t
        = SYS_wait4(child, status, options, 0), ppoll: AnyChild;
    /// wait4(2).
    "wait3" wait3_or_stop(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t
        = SYS_wait4(-1_isize, status, options, usage), ppoll: AnyChild;
    /// wait4(2).
    "wait4" wait4_or_stop(child: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t
        = SYS_wait4(child, status, options, usage), ppoll: AnyChild;
    /// wait(2).
    "waitid" waitid_or_stop(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int
        = SYS_waitid(kind, id, info, options, 0), ppoll: Child;
}
